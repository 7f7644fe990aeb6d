import auth from 'basic-auth'
import type { Request, RequestHandler } from 'express'
import { ApiError } from '../errors.ts'
import { wordsMatch } from './signature.ts'

/** Who may see the queues and the dead letters; undefined: nobody may. */
export type OpsLogin = { user: string; password: string } | undefined

/**
 * Lets the one configured user in by basic auth: 403 for everyone when none is configured, 401 for wrong or
 * missing words. A browser sends the words along when another site makes it change something: that is 403 too,
 * as is every change where `readOnly` allows none.
 */
export function requireLogin(login: OpsLogin, readOnly: boolean): RequestHandler {
  return (req, res, next) => {
    res.set('cache-control', 'no-store')
    if (login === undefined) throw new ApiError('FORBIDDEN', 'Set OPS_USER and OPS_PASSWORD to use this.')
    if (!knows(login, req)) {
      res.set('www-authenticate', 'Basic realm="Usher", charset="UTF-8"')
      throw new ApiError('UNAUTHORIZED', 'Log in with the ops user and password.')
    }
    if (isChange(req) && isFromElsewhere(req))
      throw new ApiError('FORBIDDEN', 'Other sites may not change anything here.')
    if (isChange(req) && readOnly)
      throw new ApiError('FORBIDDEN', 'OPS_READ_ONLY is set: nothing can be changed here.')
    next()
  }
}

/** Whom the login let in, for the log. */
export function userOf(req: Request): string | undefined {
  return auth(req)?.name
}

/** Both words are always compared, so the time taken does not tell which was wrong. */
function knows(login: NonNullable<OpsLogin>, req: Request): boolean {
  const given = auth(req)
  const user = wordsMatch(given?.name ?? '', login.user)
  const password = wordsMatch(given?.pass ?? '', login.password)
  return user && password
}

function isChange(req: Request): boolean {
  return req.method !== 'GET' && req.method !== 'HEAD'
}

/** What is no browser sends neither header; a browser that is too old for the first sends the second. */
function isFromElsewhere(req: Request): boolean {
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'cross-site' || site === 'same-site'
  const origin = req.get('origin')
  return origin !== undefined && hostOf(origin) !== req.get('host')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
