import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'

/**
 * Becomes the program, beside a watcher that kills it when the other end of their input closes: the system closes that
 * end when the process that holds it ends, however it ends. The watcher ignores the signals of a Ctrl+C.
 */
const WATCHED =
  'exec 3<&0 </dev/null; (trap "" INT TERM HUP; read -r _ <&3; kill -9 $$) >/dev/null 2>&1 & exec "$@" 3<&-'

export type WatchedProcess = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Starts a program that ends with this process: also when this process is killed by SIGKILL, and also when the program
 * is stopped by SIGSTOP then. Its input is empty; its outputs must be read or resumed.
 */
export function spawnWatched(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): WatchedProcess {
  return spawn('/bin/sh', ['-c', WATCHED, 'sh', program, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Runs a shell command when this process ends, however it ends, unless it is cancelled before. */
export function whenGone(command: string): { cancel(): void } {
  const script = 'trap "" INT TERM HUP; read -r _ || eval "$1"'
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', command], { stdio: ['pipe', 'ignore', 'ignore'] })
  watcher.unref()
  return { cancel: () => void watcher.stdin.end('\n') }
}

/**
 * Ends this process within a second, by SIGTERM, when the npm that runs it has ended: a SIGKILL of npm reaches nobody
 * else. For commands that package.json starts with `exec`, so that npm is their parent.
 */
export function endWithNpm(): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const npm = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== npm) process.kill(process.pid, 'SIGTERM')
  }, 500)
  timer.unref()
}
