import type { Sessions } from '../../http/login.ts'
import type { Logins } from '../../logins/logins.ts'
import { loginPage } from './local-path.ts'
import { readSessionCookie } from './session-cookie.ts'

/** The sessions of people who logged in on the login page, which their browsers keep in a cookie. */
export function createSessions(logins: Logins): Sessions {
  return {
    personOf: async (req) => {
      const token = readSessionCookie(req)
      return token === undefined ? undefined : logins.resume(token)
    },
    loginPage,
  }
}
