import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

/**
 * What happens to connections: `pass` bytes on; `blackhole`: open but silent, as when a firewall forgot them
 * (those that lived through it stay silent for ever, and new ones do not reach the server, as a lost SYN does not); `reset` each with RST; `refuse` them, as when the server is
 * down (those that are open are reset); `delay` all bytes by 100 ms; `slice` them into single bytes and small pieces; new
 * ones reach the server 2.5 s `late`, as those to an overloaded one.
 */
export type ProxyMode = 'pass' | 'blackhole' | 'reset' | 'refuse' | 'delay' | 'slice' | 'late'

export type TcpProxy = {
  port: number
  set(mode: ProxyMode): Promise<void>
  /** Resets the next `count` connections on which the client sends `text`, the moment it does. */
  hangUpOn(text: string, count: number): void
  /** Passes the next `count` connections and resets all later ones, until `set`. */
  passOnly(count: number): void
  /** Makes one of the open connections silent for ever; they count from 0 in the order of their opening. */
  silence(nth: number): void
  /** How many connections were reset on arrival so far. */
  turnedAway(): number
  /** How many connections are open now. */
  open(): number
  close(): Promise<void>
}

type Pair = { sockets: Socket[]; silent: boolean }

const DELAY_MS = 100
const LATE_MS = 2_500
const SLICES = [1, 2, 5, 40, 400]

/** A proxy on a free loopback port in front of `target`, to put faults between a client and its server. */
export async function startTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let mode: ProxyMode = 'pass'
  let left = Number.POSITIVE_INFINITY
  let turnedAway = 0
  let trap = { text: '', left: 0 }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    left -= 1
    if (mode === 'blackhole') return swallow(client)
    if (mode === 'late') return joinLate(client)
    if (mode !== 'reset' && left >= 0) return join(client)
    turnedAway += 1
    client.on('error', () => undefined).resetAndDestroy()
  })
  const swallow = (client: Socket) => {
    const alone: Pair = { sockets: [client], silent: true }
    pairs.add(alone)
    client.on('error', () => undefined).on('close', () => pairs.delete(alone))
    client.on('end', () => client.end()).resume()
  }
  const joinLate = (client: Socket) => {
    const alone: Pair = { sockets: [client], silent: false }
    pairs.add(alone)
    client.on('error', () => undefined)
    setTimeout(() => {
      pairs.delete(alone)
      if (!client.destroyed) join(client)
    }, LATE_MS)
  }
  const join = (client: Socket) => {
    const upstream = connect({ ...target, allowHalfOpen: true })
    const pair: Pair = { sockets: [client, upstream], silent: false }
    pairs.add(pair)
    const forward = (from: Socket, to: Socket) => {
      const write = createWriter(to, () => mode)
      from.on('data', (bytes) => {
        if (from === client && trap.left > 0 && bytes.includes(trap.text)) {
          trap.left -= 1
          from.resetAndDestroy()
        } else if (!pair.silent) write(bytes)
      })
      from.on('end', () => pair.silent || write(undefined))
      from.on('error', () => pair.silent || to.destroy())
      from.on('close', () => {
        if (to.closed) pairs.delete(pair)
        else if (!pair.silent) to.destroySoon()
      })
    }
    forward(client, upstream)
    forward(upstream, client)
  }

  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const resetAll = () => {
    for (const pair of pairs) for (const socket of pair.sockets) socket.resetAndDestroy()
  }
  const port = await listen(0)
  return {
    port,
    async set(next) {
      mode = next
      left = Number.POSITIVE_INFINITY
      if (mode === 'blackhole') for (const pair of pairs) pair.silent = true
      if (mode === 'reset' || mode === 'refuse') resetAll()
      if (mode === 'refuse') server.close()
      else if (!server.listening) await listen(port)
    },
    hangUpOn(text, left) {
      trap = { text, left }
    },
    passOnly(count) {
      left = count
    },
    silence(nth) {
      const pair = [...pairs][nth]
      if (pair === undefined) throw new Error(`there is no connection ${nth}`)
      pair.silent = true
    },
    turnedAway: () => turnedAway,
    open: () => pairs.size,
    async close() {
      resetAll()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Writes in order, each chunk as the mode of its arrival says; undefined ends the stream. */
function createWriter(to: Socket, mode: () => ProxyMode): (bytes: Buffer | undefined) => void {
  let busy = 0
  let last = Promise.resolve()
  const put = (bytes: Buffer | undefined) => {
    if (!to.writable) return
    if (bytes === undefined) to.end()
    else to.write(bytes)
  }
  const slowly = async (bytes: Buffer | undefined, how: ProxyMode, before: Promise<void>) => {
    const due = how === 'delay' ? sleep(DELAY_MS) : undefined
    await before
    await due
    if (how === 'slice' && bytes) for (const slice of slicesOf(bytes)) put(await setImmediate(slice))
    else put(bytes)
    busy -= 1
  }
  return (bytes) => {
    const how = mode()
    if (busy === 0 && how !== 'delay' && how !== 'slice') return put(bytes)
    busy += 1
    last = slowly(bytes, how, last)
  }
}

/** A few odd pieces, then the rest: enough to split every header and row that starts a chunk. */
function* slicesOf(bytes: Buffer): Generator<Buffer> {
  let from = 0
  for (const length of SLICES) {
    if (from < bytes.length) yield bytes.subarray(from, from + length)
    from += length
  }
  if (from < bytes.length) yield bytes.subarray(from)
}
