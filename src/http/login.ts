import auth from 'basic-auth'
import type { Request, RequestHandler, Response } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createGuessLimit } from './guess-limit.ts'
import { wordsMatch } from './signature.ts'

/** The login of the internal listener; undefined: nobody may log in. */
export type OpsLogin = { user: string; password: string } | undefined

/**
 * Admits the one configured user by basic auth: 401 without valid credentials, 403 for everybody when no login is
 * configured. Browsers attach the credentials to requests that other sites cause (CSRF), so a change requested by
 * another site is answered with 403, as is every change when `readOnly` is set. After 10 wrong passwords in a minute, an
 * address is answered with 429 for the rest of a minute, whatever it sends.
 */
export function requireLogin(login: OpsLogin, readOnly: boolean, log: Logger): RequestHandler {
  const guesses = createGuessLimit(log)
  return (req, res, next) => {
    res.set('cache-control', 'no-store')
    if (login === undefined)
      throw new ApiError('FORBIDDEN', 'OPS_USER and OPS_PASSWORD must be set to use this.')
    refuseGuesser(guesses.secondsLeft(addressOf(req)), res)
    if (!hasCredentials(login, req)) {
      if (auth(req)) guesses.count(addressOf(req))
      res.set('www-authenticate', 'Basic realm="Usher", charset="UTF-8"')
      throw new ApiError('UNAUTHORIZED', 'Log in with OPS_USER and OPS_PASSWORD.')
    }
    if (isChange(req) && isFromOtherSite(req))
      throw new ApiError('FORBIDDEN', 'A request from another site may not change anything.')
    if (isChange(req) && readOnly)
      throw new ApiError('FORBIDDEN', 'OPS_READ_ONLY is set: nothing can be changed.')
    next()
  }
}

function refuseGuesser(seconds: number, res: Response): void {
  if (seconds === 0) return
  res.set('retry-after', String(seconds))
  throw new ApiError('RATE_LIMITED', `Too many wrong passwords. Try again in ${seconds} s.`)
}

function addressOf(req: Request): string {
  return req.socket.remoteAddress ?? ''
}

/** The name of the user who logged in, for the log. */
export function userOf(req: Request): string | undefined {
  return auth(req)?.name
}

/** Both are always compared, so that the time taken does not reveal which of them was wrong. */
function hasCredentials(login: NonNullable<OpsLogin>, req: Request): boolean {
  const given = auth(req)
  const user = wordsMatch(given?.name ?? '', login.user)
  const password = wordsMatch(given?.pass ?? '', login.password)
  return user && password
}

function isChange(req: Request): boolean {
  return req.method !== 'GET' && req.method !== 'HEAD'
}

/** Current browsers send `sec-fetch-site`, older ones `origin`; clients that are not browsers send neither. */
function isFromOtherSite(req: Request): boolean {
  const site = req.get('sec-fetch-site')
  if (site !== undefined) return site === 'cross-site' || site === 'same-site'
  const origin = req.get('origin')
  return origin !== undefined && hostOf(origin) !== req.get('host')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
