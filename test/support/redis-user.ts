import { Redis } from 'ioredis'
import { readRepositoryFile } from './repository.ts'

/**
 * Makes a user of a Redis with exactly the rights that docs/operate.md lists, and forbids everything to all others.
 * @returns the URL of that user
 */
export async function createRedisUser(
  url: string,
  prefix = 'usher',
  rights = documentedRights(),
): Promise<string> {
  const client = new Redis(url)
  const own = rights.map((right) => (right.startsWith('~') ? right.replace('usher', prefix) : right))
  await client.call('ACL', 'SETUSER', prefix, 'on', '>secret', ...own)
  client.disconnect()
  return Object.assign(new URL(url), { username: prefix, password: 'secret' }).href
}

/** The rights of the user in docs/operate.md. */
export function documentedRights(): string[] {
  const [, rights = ''] =
    /^user usher on >PASSWORD ([^`]+)/m.exec(readRepositoryFile('docs/operate.md')) ?? []
  return rights.trim().split(/\s+/)
}
