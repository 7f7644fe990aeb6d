import type { Request, RequestHandler, Response } from 'express'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createBasicAuth } from './basic-login.ts'
import { isChange, refuseOtherSites } from './changes.ts'
import type { BasicLogin } from './credentials.ts'
import { admit, type Person, personOf } from './person.ts'

/** The login of the internal listener by basic auth; undefined: nobody may log in by it. */
export type OpsLogin = BasicLogin | undefined

/** The sessions of people who logged in on the login page. */
export type Sessions = {
  /** Whose session the request carries; undefined when it carries none that is valid. */
  personOf(req: Request): Promise<Person | undefined>
  /** The address of the login page, which leads to the path `next` afterwards. */
  loginPage(next: string): string
}

export type LoginParts = {
  login: OpsLogin
  /** Undefined: there is no login page. */
  sessions: Sessions | undefined
  /** Everybody is a viewer. */
  readOnly: boolean
  log: Logger
}

/**
 * Admits people by their sessions, and the one person of `login` by basic auth. Everybody else is led to the login page if a
 * browser asks for a page, and answered with 401 otherwise; with 403 if there is no way to log in. A change is answered
 * with 403 if a page of another site asks for it, a viewer does, or `readOnly` is set.
 */
export function requireLogin({ login, sessions, readOnly, log }: LoginParts): RequestHandler {
  const byBasicAuth = login && createBasicAuth(login, log)
  return async (req, res, next) => {
    res.set('cache-control', 'no-store')
    if (!login && !sessions)
      throw new ApiError('FORBIDDEN', 'OPS_USER and OPS_PASSWORD must be set to use this.')
    const known = (await sessions?.personOf(req)) ?? byBasicAuth?.(req, res)
    if (!known) return refuse(sessions, req, res)
    const limited = (person: Person): Person => (readOnly ? { ...person, role: 'viewer' } : person)
    refuseOtherSites(req)
    if (isChange(req)) refuseViewers(known, readOnly)
    const renew = async () => {
      const person = known.hasSession ? await sessions?.personOf(req) : known
      return person && limited(person)
    }
    admit(req, { person: limited(known), renew })
    next()
  }
}

/** Refuses what shows the whole installation to people who may see some orgs only. */
export const requireAllOrgs: RequestHandler = (req, _res, next) => {
  const person = personOf(req)
  if (person === undefined || person.orgs !== undefined)
    throw new ApiError(
      'FORBIDDEN',
      'This shows the whole installation, and your login is for some orgs only.',
    )
  next()
}

/** @throws ApiError FORBIDDEN */
function refuseViewers({ role }: Person, readOnly: boolean): void {
  if (readOnly) throw new ApiError('FORBIDDEN', 'OPS_READ_ONLY is set: nothing can be changed.')
  if (role !== 'operator') throw new ApiError('FORBIDDEN', 'A viewer may not change anything.')
}

/**
 * Where there is a login page, the answer asks for no basic auth: a browser would show its own dialog, also for a request in
 * the background.
 */
function refuse(sessions: Sessions | undefined, req: Request, res: Response): void {
  if (sessions === undefined) {
    res.set('www-authenticate', 'Basic realm="Usher", charset="UTF-8"')
    throw new ApiError('UNAUTHORIZED', 'Log in with OPS_USER and OPS_PASSWORD.')
  }
  if (req.accepts(['json', 'html']) !== 'html')
    throw new ApiError('UNAUTHORIZED', 'Log in on the page /login, or by basic auth.')
  res.redirect(303, sessions.loginPage(isChange(req) ? '/console' : req.originalUrl))
}
