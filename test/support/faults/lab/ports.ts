import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below what systems give to outgoing connections, one of which could else take the port of a process that is down. */
const LOWEST = 15_000
/** Each test process has ports of its own, because a port is used a while after it was found free. */
const PER_PROCESS = 100
const PROCESSES = 160
const first = LOWEST + (process.pid % PROCESSES) * PER_PROCESS
let given = 0

/** A port of 127.0.0.1 for a process that goes down and must find it free again when it is back. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = first + (given++ % PER_PROCESS)
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
