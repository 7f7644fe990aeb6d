import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashPassword } from '../../src/logins/password.ts'
import { atEndOf } from './at-end.ts'
import { type Reply, type Request, send } from './http.ts'

export const PASSWORD = 'canary-password'

/** The hash of `PASSWORD`; it takes long, so it is made once. */
export const HASH: string = await hashPassword(PASSWORD)

/** A users file until the end of the test file. */
export async function usersFile(...lines: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'usher-users-'))
  const path = join(folder, 'users')
  const write = (...next: string[]) => writeFile(path, `${next.join('\n')}\n`)
  atEndOf('file', () => rm(folder, { recursive: true }))
  await write(...lines)
  return { path, write }
}

/** Sends the form of the login page, as a browser does. */
export function postLogin(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return send(`${url}/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: Buffer.from(new URLSearchParams(fields).toString()),
  })
}

/** The cookie that an answer sets, as a request sends it back. */
export function cookieOf({ headers }: Reply): string {
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? ''
}

/** Logs a person in; gives a function that sends requests as this person. */
export async function logInAs(url: string, name: string) {
  const reply = await postLogin(url, { name, password: PASSWORD })
  if (reply.status !== 303) throw new Error(`${name} could not log in: ${reply.status}`)
  const cookie = cookieOf(reply)
  return (path: string, { headers, ...request }: Request = {}) =>
    send(url + path, { ...request, headers: { cookie, ...headers } })
}
