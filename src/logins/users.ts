import { readFile } from 'node:fs/promises'
import type { Logger } from '../logger.ts'
import { keyOf, parseUsers, type User, type UsersFile } from './parse-users.ts'

/** The people of a users file. */
export type Users = {
  /** The user of this name, in upper or lower case, as the file says at this moment. */
  find(name: string): Promise<User | undefined>
}

/** The text of the file, or the reason why it cannot be read. */
type Content = { text: string; reason?: undefined } | { text?: undefined; reason: string }

/**
 * Reads the users file each time, so that a user who is removed or gets another role is so at once. A file with a mistake
 * admits nobody, because the mistake may be in the line of somebody who should not get in; the log says which line it is.
 */
export function createUsers(path: string | undefined, log: Logger): Users {
  if (path === undefined) return { find: async () => undefined }
  let last: Content & { users: UsersFile['users'] } = { reason: 'not read yet', users: new Map() }

  const current = async (): Promise<UsersFile['users']> => {
    const content = await read(path)
    if (content.text === last.text && content.reason === last.reason) return last.users
    const { users, mistakes } = parse(content)
    if (mistakes.length > 0)
      log.error({ file: path, mistakes }, 'the users file has mistakes: nobody in it can log in')
    else log.info({ file: path, users: users.size }, 'the users file was read')
    last = { ...content, users: mistakes.length > 0 ? new Map() : users }
    return last.users
  }
  return { find: async (name) => (await current()).get(keyOf(name)) }
}

async function read(path: string): Promise<Content> {
  try {
    return { text: await readFile(path, 'utf8') }
  } catch (error) {
    return { reason: (error as NodeJS.ErrnoException).code ?? 'unknown error' }
  }
}

function parse({ text, reason }: Content): UsersFile {
  return text === undefined
    ? { users: new Map(), mistakes: [`it cannot be read: ${reason}`] }
    : parseUsers(text)
}
