import { type ChildProcess, fork } from 'node:child_process'
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
  if (child.stdout) passOn(child.stdout, log)
  const ended = endOf(child)
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

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    // A process that could not be started. Any other error is followed by an end, or leaves the process at work.
    child.on('error', (error) => child.pid === undefined && resolve(error.message))
    child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`))
  })
}

/** Passes the lines on in whole, so that two processes never share a line. */
function passOn(output: Readable, log: Logger): void {
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const end = chunk.lastIndexOf('\n') + 1
    if (end > 0) writeLines(log, rest + chunk.slice(0, end))
    rest = end > 0 ? chunk.slice(end) : rest + chunk
  })
  output.on('end', () => rest !== '' && writeLines(log, `${rest}\n`))
}
