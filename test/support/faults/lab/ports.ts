import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what systems give to outgoing connections, one of which could else take the port of a process that is down. */
const [LOWEST, HIGHEST] = [15_000, 31_000]

/** A port of 127.0.0.1 for a process that goes down and must find it free again when it is back. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST)
    const server = createServer()
    const free = once(server.listen(port, '127.0.0.1'), 'listening').then(
      () => true,
      () => false,
    )
    if (!(await free)) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
