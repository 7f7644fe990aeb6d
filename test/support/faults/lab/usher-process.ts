import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type RunningProcess, spawnProcess } from '../../running-process.ts'
import { SET_RIGHT, SETTABLE_CLOCK, SKEW } from './clock.ts'
import { createLogReader, type LogFigures } from './log-reader.ts'

export type ProcessRole = 'server' | 'workers'

export type ProcessFigures = LogFigures & {
  starts: number
  /** The exit code or signal of each end that was not asked for. */
  unasked: string[]
  worstRssMb: number
}

export type UsherProcessOptions = {
  role: ProcessRole
  name: string
  /** Folder that holds `dist`. */
  root: string
  env: Record<string, string>
  /** Its output is appended to this file. */
  logFile: string
  /** Strings that must never be logged. */
  secrets: string[]
}

const RESTART_AFTER_MS = 200
/** The end of its output, which the error of a failed start shows. */
const KEEP_CHARACTERS = 10_000

/** A process of Usher under a supervisor: when it ends without being asked to, it is started again 200 ms later. */
export class UsherProcess {
  readonly name: string
  readonly role: ProcessRole
  readonly figures: ProcessFigures
  /** When it was ended by `end`, in ms of the epoch. */
  readonly endedAt: number[] = []
  readonly #options: UsherProcessOptions
  readonly #onLine: (line: string) => void
  #running: RunningProcess | undefined
  #wanted = false

  constructor(options: UsherProcessOptions) {
    const { name, role, logFile, secrets } = options
    this.name = name
    this.role = role
    this.#options = options
    const log = createLogReader(createWriteStream(logFile, { flags: 'a' }), secrets)
    this.#onLine = log.onLine
    this.figures = Object.assign(log.figures, { starts: 0, unasked: [], worstRssMb: 0 })
  }

  /** Its id; 0 before the first start. */
  get pid(): number {
    return this.#running?.pid ?? 0
  }

  /** Starts it; resolves when it says that it is up. */
  async start(): Promise<void> {
    this.#wanted = true
    await this.#launch()
  }

  /** Ends it and waits; it stays down until `start`. Resolves with its exit code, null after a signal. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    this.#wanted = false
    this.#running?.child.kill(signal)
    const code = await this.#running?.exited()
    this.endedAt.push(Date.now())
    return code ?? null
  }

  freeze(): void {
    this.#running?.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#running?.child.kill('SIGCONT')
  }

  /** Sets its clock 31 days wrong, ahead and behind by turns, until `setClockRight` or its end. */
  skewClock(): void {
    this.#running?.child.kill(SKEW)
  }

  setClockRight(): void {
    this.#running?.child.kill(SET_RIGHT)
  }

  async #launch(): Promise<void> {
    const { role, root, env } = this.#options
    const running = spawnProcess('workers/main.js', [role], env, {
      root,
      preload: SETTABLE_CLOCK,
      keep: KEEP_CHARACTERS,
      onLine: this.#onLine,
    })
    this.#running = running
    this.figures.starts += 1
    void this.#supervise(running)
    await running.printed(/"Usher listens/)
  }

  async #supervise(running: RunningProcess): Promise<void> {
    const code = await running.exited()
    if (!this.#wanted || this.#running !== running) return
    this.figures.unasked.push(String(running.child.signalCode ?? code))
    await sleep(RESTART_AFTER_MS)
    // When it ends again before it is up, the next supervision sees that.
    if (this.#wanted && this.#running === running) await this.#launch().catch(() => undefined)
  }
}

const run = promisify(execFile)

/** Reads how much memory the processes use now, and keeps the most of each in its figures. */
export async function recordMemory(processes: UsherProcess[]): Promise<void> {
  const pids = processes.map(({ pid }) => pid).filter((pid) => pid > 0)
  const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', pids.join(',')]).catch(() => ({ stdout: '' }))
  for (const line of stdout.trim().split('\n')) {
    const [pid, rss = 0] = line.trim().split(/\s+/).map(Number)
    const figures = processes.find((process) => process.pid === pid)?.figures
    if (figures) figures.worstRssMb = Math.max(figures.worstRssMb, Math.round(rss / 1_024))
  }
}
