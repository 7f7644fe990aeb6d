import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Statements (each ends in one ReadyForQuery), and how often a client waited for the server. */
export type Trips = { statements: number; round_trips: number }

const [QUERY, SYNC, READY] = ['Q', 'S', 'Z'].map((letter) => letter.charCodeAt(0))

/**
 * A proxy in front of PostgreSQL that counts statements and round trips of all connections. Statements that a client
 * sends without waiting for an answer are one round trip.
 */
export async function startTripCounter(databaseUrl: string) {
  const target = new URL(databaseUrl)
  const trips: Trips = { statements: 0, round_trips: 0 }
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port), noDelay: true })
    count(client, upstream, trips)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: Object.assign(new URL(databaseUrl), { port: String(port) }).href,
    trips,
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Watches both directions of one connection (PostgreSQL, "Message Formats"). */
function count(client: Socket, upstream: Socket, trips: Trips): void {
  let waitedFor = 0
  const asks = reader(true, (type) => {
    if (type !== QUERY && type !== SYNC) return
    if (waitedFor === 0) trips.round_trips += 1
    waitedFor += 1
  })
  const answers = reader(false, (type) => {
    if (type !== READY) return
    trips.statements += 1
    waitedFor = Math.max(0, waitedFor - 1)
  })
  client.on('data', asks)
  upstream.on('data', answers)
}

/** Calls `onMessage` with the type of every message in a stream. The client's first message has no type. */
function reader(isClient: boolean, onMessage: (type: number) => void): (chunk: Buffer) => void {
  let headLength = isClient ? 4 : 5
  let head = Buffer.alloc(0)
  let skip = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      const skipped = Math.min(skip, chunk.length - at)
      at += skipped
      skip -= skipped
      if (at === chunk.length) return
      const wanted = headLength - head.length
      head = Buffer.concat([head, chunk.subarray(at, at + wanted)])
      at += Math.min(wanted, chunk.length - at)
      if (head.length < headLength) return
      skip = head.readInt32BE(headLength - 4) - 4
      if (headLength === 5) onMessage(head[0] ?? 0)
      headLength = 5
      head = Buffer.alloc(0)
    }
  }
}
