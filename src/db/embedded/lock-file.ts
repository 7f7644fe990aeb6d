import { readFile, readlink, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What `postmaster.pid`, the lock file of a data folder, says of the server that wrote it. */
export type LockFile = { pid: number; port: number; ready: boolean }

/** Reads a data folder's lock file; undefined when there is none, or its server has only begun to write it. */
export async function readLockFile(dataDir: string): Promise<LockFile | undefined> {
  return parse(await readFile(lockFile(dataDir), 'utf8').catch(() => ''))
}

/**
 * Removes the lock file of a crashed server when it would keep PostgreSQL from starting for ever: its pid
 * has become another process (a restarted container counts from 1 again), or a zombie that nobody reaps.
 * Only on Linux, where a live server is known by its working directory. Against children that outlived
 * their server, PostgreSQL guards by shared memory, not by this file.
 */
export async function removeFalseLock(dataDir: string): Promise<void> {
  const lock = await readLockFile(dataDir)
  if (process.platform !== 'linux' || !lock || !isSignallable(lock.pid)) return
  if (await isServerOf(dataDir, lock.pid)) return
  const aside = `${lockFile(dataDir)}.false-${process.pid}`
  await rename(lockFile(dataDir), aside).catch(() => {})
  // A new server may have written its own since we looked.
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

/** A server works in its data folder; a zombie works nowhere. What we may not see counts as a server. */
async function isServerOf(dataDir: string, pid: number): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === dataDir
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT')
  }
}
