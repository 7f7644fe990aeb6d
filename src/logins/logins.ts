import { createHash } from 'node:crypto'
import type { OidcConfig } from '../config.ts'
import { type BasicLogin, isLogin } from '../http/credentials.ts'
import type { Person } from '../http/person.ts'
import type { Logger } from '../logger.ts'
import { createOidc } from './oidc.ts'
import { keyOf } from './parse-users.ts'
import { passwordMatches } from './password.ts'
import { createProviderLogins, type ProviderLogins } from './provider-logins.ts'
import { createSealed } from './sealed.ts'
import { type NewSession, type Session, secondsOf, sessionShape } from './session.ts'
import { createUsers, type Users } from './users.ts'

/** The people who may log in on the login page. */
export type Logins = {
  /** A new session; undefined when name or password is wrong. Takes as long for a name that nobody has. */
  logIn(name: string, password: string): Promise<NewSession | undefined>
  /** Whose session the token is, with the rights of this moment; undefined when it is over. */
  resume(token: string): Promise<Person | undefined>
  /** False: nobody has a password. */
  havePasswords: boolean
  /** Logins at an OpenID provider; undefined: there is none. */
  provider: ProviderLogins | undefined
}

type Parts = {
  /** The one person of basic auth, who may use the login page, too. */
  login: BasicLogin | undefined
  usersFile: string | undefined
  oidc?: OidcConfig | undefined
  secretsKey: Buffer
  log: Logger
}

/** Somebody who may log in by password now. */
type Account = Person & { print: string | undefined }

/** Admits the people of the users file, of the provider, and the person of basic auth, whose name wins over all others. */
export function createLogins({ login, usersFile, oidc, secretsKey, log }: Parts): Logins {
  const sessions = createSealed(secretsKey, { purpose: 'sessions', shape: sessionShape })
  const users = createUsers(usersFile, log)
  // A mistake in the file is in the log when the process starts, and not only when somebody logs in.
  void users.find('')
  const begin = async (session: Session): Promise<NewSession> => {
    const seconds = secondsOf(session)
    return { token: await sessions.seal(session, seconds), seconds }
  }
  return {
    havePasswords: login !== undefined || usersFile !== undefined,
    provider: oidc && createProviderLogins({ oidc: createOidc(oidc, secretsKey), users, login, begin, log }),
    logIn: async (name, password) => {
      const account = await checkPassword(login, users, name, password)
      return account && begin({ name: account.name, print: account.print })
    },
    resume: async (token) => {
      const session = await sessions.open(token)
      return session && resume(login, users, session)
    },
  }
}

/** The account with this name and password. The time taken is the same if there is none. */
async function checkPassword(
  login: BasicLogin | undefined,
  users: Users,
  name: string,
  password: string,
): Promise<Account | undefined> {
  const account = await findAccount(login, users, name)
  const isBasic = login !== undefined && isLogin(login, name, password)
  const user = login && keyOf(login.user) === keyOf(name) ? undefined : await users.find(name)
  return (await passwordMatches(password, user?.password)) || isBasic ? account : undefined
}

async function resume(
  login: BasicLogin | undefined,
  users: Users,
  { name, print, rights }: Session,
): Promise<Person | undefined> {
  if (rights) return { name, role: rights.role, orgs: rights.orgs, hasSession: true }
  const account = await findAccount(print === undefined ? undefined : login, users, name)
  if (!account || (print !== undefined && print !== account.print)) return undefined
  const { print: _, ...person } = account
  return person
}

async function findAccount(
  login: BasicLogin | undefined,
  users: Users,
  name: string,
): Promise<Account | undefined> {
  if (login && keyOf(login.user) === keyOf(name))
    return {
      name: login.user,
      role: 'operator',
      orgs: undefined,
      hasSession: true,
      print: printOf(login.password),
    }
  const user = await users.find(name)
  if (!user) return undefined
  const { role, orgs, password } = user
  return { name: user.name, role, orgs, hasSession: true, print: password && printOf(password) }
}

function printOf(password: string): string {
  return createHash('sha256').update(password).digest('base64url')
}
