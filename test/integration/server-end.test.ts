import { once } from 'node:events'
import { stat } from 'node:fs'
import { request } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { type RunningServer, startServer } from '../../src/http/server.ts'

const SLOW_MS = 20

async function start(): Promise<RunningServer> {
  const log = pino({ level: 'silent' })
  return startServer({ host: '127.0.0.1', port: 0, variable: 'PORT', log, handler: (_req, res) => res.end() })
}

async function outcomeOf(port: number): Promise<string> {
  try {
    const [response] = await once(request({ host: '127.0.0.1', port, agent: false }).end(), 'response')
    await once(response.resume(), 'end')
    return String(response.statusCode)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? ''
  }
}

function beBusy(): void {
  for (const end = performance.now() + SLOW_MS; performance.now() < end; );
}

/**
 * Runs `work` in the next turn of the event loop, among the events that the kernel reported in that turn. What connects
 * then is completed by the kernel after the server looked for new connections.
 */
function amongEvents<T>(work: () => T): Promise<T> {
  const done = new Promise<T>((resolve) => stat('.', () => resolve(work())))
  // Another thread reads the state of the folder meanwhile.
  beBusy()
  return done
}

it.each([1, 2, 3, 4])(
  'a server that ends resets no connection that came while its event loop was busy, in turn %i of its end',
  async (turn) => {
    const server = await start()
    const closed = server.close(5_000)
    for (let i = 0; i < turn; i += 1) await setImmediate()
    const outcome = await amongEvents(() => {
      const pending = outcomeOf(server.port)
      beBusy()
      return pending
    })
    expect(['200', 'ECONNREFUSED']).toContain(outcome)
    await closed
  },
)
