import { type DestinationStream, type Logger, pino, symbols } from 'pino'
import type { Config } from './config.ts'

export type { Logger }

/**
 * Creates the logger of a process, which writes one JSON line for each event. Callers never pass it bodies, payloads,
 * tokens or phone numbers. The redaction list is a second guard, for requests and errors that contain such values.
 */
export function createLogger(config: Pick<Config, 'logLevel'>, destination?: DestinationStream): Logger {
  const options = {
    level: config.logLevel,
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: errorWithoutValues },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** Writes whole lines of another process, which logs as this one does, into the log. */
export function writeLines(log: Logger, lines: string): void {
  const { [symbols.streamSym]: stream } = log as Logger & { [symbols.streamSym]?: DestinationStream }
  stream?.write(lines)
}

const REDACTED = [
  'authorization',
  'password',
  'token',
  'secret',
  'access_token',
  'body',
  'payload',
  'parameters',
]
  .flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  .concat('req.headers', '*["x-hub-signature-256"]')

/** PostgreSQL puts the values of rows into `detail`, and drizzle puts parameters into the message: neither is logged. */
function errorWithoutValues(error: unknown): unknown {
  if (!(error instanceof Error)) return { type: typeof error }
  const cause = error.cause instanceof Error ? errorWithoutValues(error.cause) : undefined
  const { code, constraint, routine } = error as Error & Record<string, unknown>
  const message = error.message.startsWith('Failed query:') ? 'Failed query' : error.message
  return { type: error.name, message, code, constraint, routine, stack: stackOf(error), cause }
}

function stackOf(error: Error): string | undefined {
  return error.stack
    ?.split('\n')
    .filter((line) => line.trimStart().startsWith('at '))
    .slice(0, 8)
    .join('\n')
}

/**
 * Makes what libraries print to the console lines of the log. BullMQ and ioredis print their advice there. Objects are
 * left out, since they may hold values.
 */
export function logConsole(log: Logger): void {
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (...args: unknown[]) => {
      const err = args.find((arg) => arg instanceof Error)
      const words = args.filter((arg) => typeof arg === 'string').join(' ')
      log[level]({ from: 'console', err }, words.replace(/\s+/g, ' '))
    }
  Object.assign(console, {
    log: write('info'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  })
}
