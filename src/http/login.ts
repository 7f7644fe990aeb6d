import auth from 'basic-auth'
import type { Request, RequestHandler } from 'express'
import { wordsMatch } from '../webhook/signature.ts'
import { answerError } from './error-handler.ts'

/** Who may see the queues and the dead letters; undefined: nobody may. */
export type OpsLogin = { user: string; password: string } | undefined

/**
 * Lets the one configured user in by basic auth: 403 for everyone when none is configured, 401 for wrong or
 * missing words. A browser sends the words along when another site makes it change something: that is 403 too.
 */
export function requireLogin(login: OpsLogin): RequestHandler {
  return (req, res, next) => {
    res.set('cache-control', 'no-store')
    if (login === undefined) {
      const description = 'Set OPS_USER and OPS_PASSWORD to use this.'
      return answerError(res, 403, 1, { message: 'FORBIDDEN', description })
    }
    const given = auth(req)
    const user = wordsMatch(given?.name ?? '', login.user)
    const password = wordsMatch(given?.pass ?? '', login.password)
    if (!user || !password) {
      res.set('www-authenticate', 'Basic realm="Usher", charset="UTF-8"')
      return answerError(res, 401, 1, { message: 'UNAUTHORIZED', description: 'Log in with the ops user.' })
    }
    if (isForged(req)) {
      const description = 'Requests from other sites are not accepted.'
      return answerError(res, 403, 1, { message: 'FORBIDDEN', description })
    }
    next()
  }
}

function isForged(req: Request): boolean {
  const site = req.get('sec-fetch-site')
  return req.method !== 'GET' && (site === 'cross-site' || site === 'same-site')
}
