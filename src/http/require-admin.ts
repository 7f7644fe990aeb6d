import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'
import { ApiError } from '../errors.ts'
import type { Admin, AuthenticateAdmin } from './admin-auth.ts'
import { isChange } from './changes.ts'
import { type LoginParts, requireLogin } from './login.ts'
import { personOf } from './person.ts'

const admins = new WeakMap<IncomingMessage, Admin>()

/**
 * Admits whom the bearer token of a request identifies (`createAdminAuth`), and otherwise people with a login of the
 * internal listener, who may do what they may do on the console: a viewer reads, an operator changes. Nobody changes
 * anything if `readOnly` is set. Everybody else is answered with 401.
 */
export function requireAdmin(parts: LoginParts & { authenticateAdmin: AuthenticateAdmin }): RequestHandler {
  const byLogin = requireLogin(parts)
  return async (req, res, next) => {
    res.set('cache-control', 'no-store')
    const authorization = req.get('authorization')
    if (authorization !== undefined && !/^basic /i.test(authorization)) {
      const admin = await parts.authenticateAdmin(authorization)
      if (parts.readOnly && isChange(req))
        throw new ApiError('FORBIDDEN', 'OPS_READ_ONLY is set: nothing can be changed.')
      admins.set(req, admin)
      return next()
    }
    if (!parts.login && !parts.sessions) throw new ApiError('UNAUTHORIZED')
    await byLogin(req, res, (error?: unknown) => {
      const person = personOf(req)
      if (person) admins.set(req, { actor: `ops:${person.name}`, orgs: person.orgs })
      next(error)
    })
  }
}

/**
 * Who makes the request, if they may see the org.
 * @throws ApiError FORBIDDEN
 */
export function adminOf(req: IncomingMessage, orgId: string): Admin {
  const admin = admins.get(req)
  if (!admin) throw new ApiError('UNAUTHORIZED')
  if (admin.orgs !== undefined && !admin.orgs.includes(orgId)) throw new ApiError('FORBIDDEN')
  return admin
}
