import type { Sessions } from '../../http/login.ts'
import type { Logins } from '../../logins/logins.ts'
import { readCookie } from './cookies.ts'
import { loginPage } from './local-path.ts'

/** The sessions of people who logged in on the login page, which their browsers keep in a cookie. */
export function createSessions(logins: Logins): Sessions {
  return {
    personOf: async (req) => {
      const token = readCookie(req, 'session')
      return token === undefined ? undefined : logins.resume(token)
    },
    loginPage,
  }
}
