import { readFile, readlink, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The content of `postmaster.pid`, the lock file that a server writes into its data folder. */
export type LockFile = { pid: number; port: number; ready: boolean }

/** Reads the lock file of a data folder; undefined when there is none, or when it is not completely written yet. */
export async function readLockFile(dataDir: string): Promise<LockFile | undefined> {
  return parse(await readFile(lockFile(dataDir), 'utf8').catch(() => ''))
}

/**
 * Removes the lock file of a crashed server that would keep PostgreSQL from ever starting again, because its process id
 * now belongs to another process (a restarted container counts from 1 again) or to a zombie. Does so only on Linux, where
 * the working directory of a process shows whether it is the server. PostgreSQL protects itself against child processes
 * that outlived their server by its shared memory, not by this file.
 */
export async function removeFalseLock(dataDir: string): Promise<void> {
  const lock = await readLockFile(dataDir)
  if (process.platform !== 'linux' || !lock || !isSignallable(lock.pid)) return
  if (await isServerOf(dataDir, lock.pid)) return
  const aside = `${lockFile(dataDir)}.false-${process.pid}`
  await rename(lockFile(dataDir), aside).catch(() => {})
  // A new server may have written its own lock file in the meantime.
  const removed = parse(await readFile(aside, 'utf8').catch(() => ''))
  if (removed && removed.pid !== lock.pid) await rename(aside, lockFile(dataDir))
  await rm(aside, { force: true })
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'postmaster.pid')
}

function parse(text: string): LockFile | undefined {
  const lines = text.split('\n')
  const [pid, port] = [Number(lines[0]), Number(lines[3])]
  return pid > 0 && port > 0 ? { pid, port, ready: lines[7]?.trim() === 'ready' } : undefined
}

function isSignallable(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/**
 * The working directory of a server is its data folder, and a zombie has none. A process that may not be inspected counts
 * as a server.
 */
async function isServerOf(dataDir: string, pid: number): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === dataDir
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}
