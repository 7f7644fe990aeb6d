import { createHash } from 'node:crypto'
import { type BasicLogin, isLogin } from '../http/credentials.ts'
import type { Person } from '../http/person.ts'
import type { Logger } from '../logger.ts'
import { keyOf } from './parse-users.ts'
import { passwordMatches } from './password.ts'
import { createSessionTokens } from './session-tokens.ts'
import { createUsers, type Users } from './users.ts'

/** The people who may log in on the login page. */
export type Logins = {
  /** The token of a new session; undefined when name or password is wrong. Takes as long for a name that nobody has. */
  logIn(name: string, password: string): Promise<string | undefined>
  /** Whose session the token is, with the rights of this moment; undefined when it is over. */
  resume(token: string): Promise<Person | undefined>
}

type Parts = {
  /** The one person of basic auth, who may use the login page, too. */
  login: BasicLogin | undefined
  usersFile: string
  secretsKey: Buffer
  log: Logger
}

/** Somebody who may log in now. `print` changes with the password, which ends the sessions that began with the former one. */
type Account = Person & { print: string }

/** Admits the people of the users file, and the person of basic auth, whose name wins over a line of the file. */
export function createLogins({ login, usersFile, secretsKey, log }: Parts): Logins {
  const tokens = createSessionTokens(secretsKey)
  const users = createUsers(usersFile, log)
  // A mistake in the file is in the log when the process starts, and not only when somebody logs in.
  void users.find('')

  const check = async (name: string, password: string): Promise<boolean> => {
    const isBasic = login !== undefined && isLogin(login, name, password)
    const user = login && keyOf(login.user) === keyOf(name) ? undefined : await users.find(name)
    return (await passwordMatches(password, user?.password)) || isBasic
  }
  return {
    logIn: async (name, password) => {
      const isRight = await check(name, password)
      const account = isRight ? await findAccount(login, users, name) : undefined
      return account && tokens.seal({ name: account.name, passwordPrint: account.print })
    },
    resume: async (token) => {
      const session = await tokens.open(token)
      const account = session && (await findAccount(login, users, session.name))
      if (!account || account.print !== session?.passwordPrint) return undefined
      const { print, ...person } = account
      return person
    },
  }
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
  return { name: user.name, role, orgs, hasSession: true, print: printOf(password) }
}

function printOf(password: string): string {
  return createHash('sha256').update(password).digest('base64url')
}
