import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Below what systems give to outgoing connections, one of which could else take the port of a process that is down. */
const LOWEST = 15_000
const PER_BLOCK = 100
const BLOCKS = 160

/** Listens at the port, or resolves with undefined where something else does. */
async function listenAt(port: number): Promise<Server | undefined> {
  const server = createServer()
  return once(server.listen(port, '127.0.0.1'), 'listening').then(
    () => server,
    () => undefined,
  )
}

/**
 * The first port of a block that this process alone takes ports from. A port is used a while after it was found free,
 * so two processes with one block would take each other's. The process listens at the first port of its block until it
 * ends, which is what keeps others out, however it ends.
 */
export async function claimBlock(): Promise<number> {
  for (let tried = 0; tried < BLOCKS; tried++) {
    const first = LOWEST + ((process.pid + tried) % BLOCKS) * PER_BLOCK
    const claim = await listenAt(first)
    if (!claim) continue
    claim.unref()
    return first
  }
  throw new Error(`All ${BLOCKS} blocks of ports from ${LOWEST} on are in use`)
}

let block: Promise<number> | undefined
let given = 0

/** A port of 127.0.0.1 for a process that goes down and must find it free again when it is back. */
export async function lastingPort(): Promise<number> {
  block ??= claimBlock()
  const first = await block
  for (;;) {
    const port = first + 1 + (given++ % (PER_BLOCK - 1))
    const server = await listenAt(port)
    if (!server) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
