import type { BasicLogin } from '../http/credentials.ts'
import type { Logger } from '../logger.ts'
import { oncePerMinute } from '../once-per-minute.ts'
import { type Oidc, OidcError } from './oidc.ts'
import { keyOf } from './parse-users.ts'
import type { NewSession, Session } from './session.ts'
import type { Users } from './users.ts'

/** Logins at an OpenID provider. */
export type ProviderLogins = {
  /** The address to which the browser goes, and a token that it keeps meanwhile; undefined: the provider does not answer. */
  begin(next: string): Promise<{ url: string; memo: string } | undefined>
  /** The session of who came back from the provider, and where it leads; or why there is none. */
  end(memo: string, search: string): Promise<{ session: NewSession; next: string } | Refusal>
}

/** `failed`: the login was not completed. `nameless`: the provider gives no usable name. `no role`: Usher knows no role. */
export type Refusal = { session?: undefined; refusal: 'failed' | 'nameless' | 'no role'; name?: string }

type Parts = {
  oidc: Oidc
  users: Users
  login: BasicLogin | undefined
  begin: (session: Session) => Promise<NewSession>
  log: Logger
}

/**
 * A line of the users file gives rights to who logged in at the provider; without one, the claims do. Nobody can have the name
 * of the person of basic auth. What went wrong is logged once a minute for each reason.
 */
export function createProviderLogins({ oidc, users, login, begin, log }: Parts): ProviderLogins {
  const report = oncePerMinute<string>((reason, count) =>
    log.warn({ reason, count }, 'logins at the OpenID provider failed'),
  )
  const orUndefined = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof OidcError)) throw error
      report(error.reason)
      return undefined
    }
  }
  return {
    begin: (next) => orUndefined(oidc.begin(next)),
    end: async (memo, search) => {
      const back = await orUndefined(oidc.end(memo, search))
      if (!back) return { refusal: 'failed' }
      if (!back.identity) return { refusal: 'nameless' }
      const { name, rights } = back.identity
      if (login && keyOf(login.user) === keyOf(name)) return { refusal: 'no role', name }
      const user = await users.find(name)
      if (!user && !rights) return { refusal: 'no role', name }
      return { session: await begin({ name, ...(!user && { rights }) }), next: back.next }
    },
  }
}
