import { randomBytes, randomUUID } from 'node:crypto'
import { access, chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerPaths } from './paths.ts'
import { type Account, run } from './system.ts'

/** Name of the superuser of the server, and of the database that the application uses. */
export const OWNER = 'usher'

const PASSWORD_FILE = 'usher-password'

/** Settings that initdb writes into the configuration file, where `alter system` can change them. */
const DEFAULTS = ['--set=max_connections=200', '--set=shared_buffers=256MB']

/**
 * Creates the database files if the data folder is missing or empty: UTF-8, collation by bytes, login by password only.
 * They are created in another folder that is then renamed, so the data folder is never incomplete; of several processes
 * that do so at the same time, one wins and the others use its files.
 * @throws Error when the folder contains something else, or when initdb fails (with its output).
 */
export async function ensureCluster(paths: ServerPaths): Promise<void> {
  if (await isCluster(paths.dataDir)) return
  const draft = `${paths.dataDir}.new-${randomUUID()}`
  try {
    await initialise(paths, draft)
    await rename(join(draft, 'data'), paths.dataDir)
  } catch (error) {
    if (!(await isCluster(paths.dataDir))) throw explained(error, paths.dataDir)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * Reads the password of `OWNER` from the data folder, where only the owner of the files can read it.
 * @throws Error when the folder was not created by `ensureCluster`.
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

async function initialise({ bin, account }: ServerPaths, draft: string): Promise<void> {
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
