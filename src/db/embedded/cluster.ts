import { randomBytes, randomUUID } from 'node:crypto'
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Place } from './place.ts'
import { type Account, run } from './system.ts'

/** Superuser of the server, and name of the database that the application gets. */
export const OWNER = 'usher'

const PASSWORD_FILE = 'usher-password'

/** What the server begins with; written to its configuration, so `alter system` can change it. */
const DEFAULTS = ['--set=max_connections=200', '--set=shared_buffers=256MB']

/**
 * Makes the database files when the data folder is missing or empty: UTF-8, byte order collation, password
 * login only. They are made beside it and renamed, so the folder is never half-made, and of several
 * processes at once one wins and the others use what it made.
 * @throws Error when the folder holds something else, or initdb fails (with its output).
 */
export async function ensureCluster(place: Place): Promise<void> {
  if (await isCluster(place.dataDir)) return
  const draft = `${place.dataDir}.new-${randomUUID()}`
  try {
    await initialise(place, draft)
    await rename(join(draft, 'data'), place.dataDir)
  } catch (error) {
    if (!(await isCluster(place.dataDir))) throw explained(error, place.dataDir)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * Reads the password of `OWNER`, which lies in the data folder, readable by its owner only.
 * @throws Error when the folder was not made by `ensureCluster`.
 */
export async function readPassword(dataDir: string): Promise<string> {
  return readFile(join(dataDir, PASSWORD_FILE), 'utf8')
}

async function isCluster(dataDir: string): Promise<boolean> {
  try {
    await access(join(dataDir, 'PG_VERSION'))
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

function explained(error: unknown, dataDir: string): unknown {
  if (!hasCode(error, 'ENOTEMPTY')) return error
  return new Error(`${dataDir} is neither empty nor a PostgreSQL data folder`, { cause: error })
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

async function initialise({ bin, account }: Place, draft: string): Promise<void> {
  const data = join(draft, 'data')
  const password = join(draft, PASSWORD_FILE)
  await mkdir(draft, { mode: 0o700 })
  await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 })
  await mkdir(data, { mode: 0o700 })
  if (account) await give(account, draft, password, data)
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8']
  const login = [`--username=${OWNER}`, `--pwfile=${password}`, '--auth=scram-sha-256']
  await run(join(bin, 'initdb'), [`--pgdata=${data}`, ...login, ...locale, ...DEFAULTS], account)
  await rename(password, join(data, PASSWORD_FILE))
}

async function give(account: Account, ...paths: string[]): Promise<void> {
  for (const path of paths) await chown(path, account.uid, account.gid)
}
