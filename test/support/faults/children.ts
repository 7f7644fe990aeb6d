import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { spawnWatched } from '../watched.ts'

export type ChildRole = 'server' | 'workers'

/** A process of Usher under a supervisor's eye: whenever it ends unasked, it is started again 200 ms later. */
export type Child = {
  role: ChildRole
  name: string
  pid(): number
  /** Starts it; resolves when it says that it is up. */
  start(): Promise<void>
  /** Ends it and waits; it stays down until `start`. Resolves with its exit code, null after a signal. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>
  freeze(): void
  thaw(): void
  figures(): ChildFigures
}

export type ChildFigures = {
  starts: number
  /** Ends nobody asked for, each with its exit code or signal. */
  unasked: string[]
  lines: number
  worstLinesPerSecond: number
  worstRssMb: number
  /** Lines that held a canary. */
  leaks: string[]
  /** The latest lines of its log. */
  tail: string[]
}

type ChildOptions = {
  role: ChildRole
  name: string
  /** Folder that holds `dist`. */
  root: string
  env: Record<string, string>
  logFile: string
  /** Strings that must never be logged. */
  canaries: string[]
}

const RESPAWN_MS = 200
const UP_WITHIN_MS = 60_000
const TAIL = 40

/** A child that is not started yet. Its log goes to `logFile`, and is read for canaries line by line. */
export function createChild({ role, name, root, env, logFile, canaries }: ChildOptions): Child {
  const log = createWriteStream(logFile, { flags: 'a' })
  const figures: ChildFigures = {
    starts: 0,
    unasked: [],
    lines: 0,
    worstLinesPerSecond: 0,
    worstRssMb: 0,
    leaks: [],
    tail: [],
  }
  let child: ChildProcess | undefined
  let wanted = false
  let second = { at: 0, lines: 0 }

  const onLine = (line: string) => {
    log.write(`${line}\n`)
    figures.lines += 1
    figures.tail = [...figures.tail.slice(1 - TAIL), line]
    const at = Math.floor(Date.now() / 1000)
    second = second.at === at ? { at, lines: second.lines + 1 } : { at, lines: 1 }
    figures.worstLinesPerSecond = Math.max(figures.worstLinesPerSecond, second.lines)
    if (canaries.some((canary) => line.includes(canary))) figures.leaks.push(line.slice(0, 500))
  }

  const launch = (): Promise<void> => {
    const { PATH = '', HOME = '' } = process.env
    const entry = join(root, 'dist/workers/main.js')
    const started = spawnWatched(process.execPath, [entry, role], {
      cwd: root,
      env: { PATH, HOME, ...env },
    })
    child = started
    figures.starts += 1
    const up = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${name} is not up:\n${figures.tail.join('\n')}`)),
        UP_WITHIN_MS,
      )
      const settle = (how: () => void) => {
        clearTimeout(timer)
        how()
      }
      for (const stream of [started.stdout, started.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          onLine(line)
          if (line.includes('"Usher is up"')) settle(resolve)
        })
      }
      started.once('exit', () =>
        settle(() => reject(new Error(`${name} ended before it was up:\n${figures.tail.join('\n')}`))),
      )
    })
    started.once('exit', (code, signal) => {
      if (!wanted || child !== started) return
      figures.unasked.push(String(signal ?? code))
      setTimeout(() => wanted && child === started && launch().catch(() => undefined), RESPAWN_MS)
    })
    return up
  }

  return {
    role,
    name,
    pid: () => child?.pid ?? 0,
    async start() {
      wanted = true
      await launch()
    },
    async end(signal) {
      wanted = false
      if (!child || child.exitCode !== null || child.signalCode !== null) return null
      const exit = once(child, 'exit')
      child.kill(signal)
      const [code] = await exit
      return code as number | null
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    figures: () => figures,
  }
}

const run = promisify(execFile)

/** Looks how much memory the children use now, and keeps the worst of each in its figures. */
export async function weigh(children: Child[]): Promise<void> {
  const pids = children.map((child) => child.pid()).filter((pid) => pid > 0)
  const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]).catch(() => ({ stdout: '' }))
  for (const line of stdout.trim().split('\n')) {
    const [pid, rss = 0] = line.trim().split(/\s+/).map(Number)
    const figures = children.find((child) => child.pid() === pid)?.figures()
    if (figures) figures.worstRssMb = Math.max(figures.worstRssMb, Math.round(rss / 1024))
  }
}
