import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { projectRoot } from '../../src/project-root.ts'
import { PATIENCE_MS } from './patience.ts'
import { spawnWatched, type WatchedProcess } from './watched.ts'

export type RunningProcess = {
  child: WatchedProcess
  pid: number
  /** All it printed so far, or the end of that (`keep`). */
  output(): string
  /** Resolves with the first match in its output; rejects when it ends before, or when patience does. */
  printed(pattern: RegExp): Promise<RegExpMatchArray>
  /** Resolves with its exit code, null after a signal. */
  exited(): Promise<number | null>
  /** Sends SIGTERM, after `graceMs` SIGKILL (0: that at once), and resolves with its exit code. */
  stop(graceMs?: number): Promise<number | null>
}

export type SpawnOptions = {
  /** Folder that holds `dist`, ours unless given. */
  root?: string
  /** JavaScript to run first. */
  preload?: string
  /** How many characters of its output are kept, all unless given. */
  keep?: number
  /** Gets each line it prints. */
  onLine?(line: string): void
}

/**
 * Runs a built entry point (`dist/...`), or another file by its absolute path, with nothing of this process's
 * environment but PATH and HOME. It ends with this process at the latest; who calls this should stop it before.
 */
export function spawnProcess(
  entry: string,
  args: string[],
  env: Record<string, string>,
  { root = projectRoot(), preload, keep = Number.POSITIVE_INFINITY, onLine }: SpawnOptions = {},
): RunningProcess {
  const { PATH = '', HOME = '' } = process.env
  const first = preload ? [`--import=data:text/javascript,${encodeURIComponent(preload)}`] : []
  const file = entry.startsWith('/') ? entry : join(root, 'dist', entry)
  const child = spawnWatched(process.execPath, [...first, file, ...args], {
    cwd: root,
    env: { PATH, HOME, ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-keep)
    })
    if (onLine) createInterface({ input: stream }).on('line', onLine)
  }
  const exit = once(child, 'exit') as Promise<[number | null]>
  return {
    child,
    pid: child.pid ?? 0,
    output: () => text,
    printed: (pattern) => printed(child, pattern, () => text),
    exited: async () => (await exit)[0],
    stop: (graceMs) => stop(child, exit, graceMs),
  }
}

async function printed(child: WatchedProcess, pattern: RegExp, output: () => string) {
  return new Promise<RegExpMatchArray>((resolve, reject) => {
    const look = () => {
      const match = output().match(pattern)
      if (match) end(() => resolve(match))
      return match !== null
    }
    const fail = (why: string) => end(() => reject(new Error(`${why} it printed ${pattern}:\n${output()}`)))
    const onClose = () => look() || fail('it ended before')
    const timer = setTimeout(() => fail(`${PATIENCE_MS} ms went by before`), PATIENCE_MS)
    const end = (how: () => void) => {
      clearTimeout(timer)
      for (const stream of [child.stdout, child.stderr]) stream.off('data', look)
      child.off('close', onClose)
      how()
    }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', look)
    child.once('close', onClose)
    if (!look() && child.stdout.closed && child.stderr.closed) onClose()
  })
}

async function stop(child: WatchedProcess, exit: Promise<[number | null]>, graceMs = PATIENCE_MS) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  child.kill(graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  const [code] = await exit
  clearTimeout(timer)
  return code
}
