import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { type Logger, writeLines } from '../../src/logger.ts'
import { type Ask, createAsk } from './ask.ts'

export type WorkersChild = {
  pid: number | undefined
  /** Whether it has started its workers. */
  hasStarted(): boolean
  ask: Ask
  /** Resolves when it has ended and all that it logged was passed on; says how it ended. */
  ended: Promise<string>
  /** Lets it end its jobs; ends it by force after `ms`. */
  stop(ms: number): Promise<void>
  kill(): void
}

/**
 * Starts a process with the workers, whose main module is `entry`. Its log lines become lines of this process's log. It
 * ends when this process ends, however that happens, because their channel closes then.
 */
export function forkWorkers(entry: string, log: Logger): WorkersChild {
  const child = fork(entry, [], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], serialization: 'advanced' })
  let hasStarted = false
  child.once('message', () => {
    hasStarted = true
  })
  const passedOn = child.stdout ? passOn(child.stdout, log).catch(() => undefined) : Promise.resolve()
  const ended = endOf(child, passedOn)
  const kill = () => void child.kill('SIGKILL')
  return {
    pid: child.pid,
    hasStarted: () => hasStarted,
    ask: createAsk(child),
    ended,
    async stop(ms) {
      if (child.connected) child.disconnect()
      const timer = setTimeout(kill, ms)
      await ended
      clearTimeout(timer)
    },
    kill,
  }
}

/** Node emits no `close` for a child process whose channel this process has closed, so both ends are waited for. */
async function endOf(child: ChildProcess, passedOn: Promise<unknown>): Promise<string> {
  const how = await new Promise<string>((resolve) => {
    // A process that could not be started. Any other error is followed by an end, or leaves the process at work.
    child.on('error', (error) => child.pid === undefined && resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
  if (child.pid !== undefined) await passedOn
  return how
}

/** Passes the lines on in whole, so that two processes never share a line. Resolves at the end of the output. */
async function passOn(output: Readable, log: Logger): Promise<void> {
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const end = chunk.lastIndexOf('\n') + 1
    if (end > 0) writeLines(log, rest + chunk.slice(0, end))
    rest = end > 0 ? chunk.slice(end) : rest + chunk
  })
  await once(output, 'close')
  if (rest !== '') writeLines(log, `${rest}\n`)
}
