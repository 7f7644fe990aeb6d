import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** A connection of the pool; times in ms of `performance.now()`. */
type Line = {
  pid: number
  socket: Socket
  answeredBytes: number
  heardAt: number
  /** Since when an answer is due, as far as was noticed. */
  unansweredSince: number | undefined
  /** Not suspected before: it was found at work. */
  busyUntil: number
}

const LOOK_MS = 500
const AGAIN_MS = 1_000
const LIMITS = { connectionTimeoutMillis: 1_000, query_timeout: 1_000 }

/**
 * Ends connections of a pool that were lost without a word, as when a firewall forgot them or a server moved, within
 * 2 s instead of at the deadline of a statement. When an answer is late, PostgreSQL is asked over another connection: one
 * on which it waits for us is lost, and is ended with all that were silent as long; their backends, which keep locks, too.
 * A statement that is only slow goes on.
 * @param onLost told how many connections were ended
 */
export function endLostConnections(pool: pg.Pool, url: string, onLost: (connections: number) => void): void {
  const lines = new Map<pg.PoolClient, Line>()
  pool.on('connect', (client) => lines.set(client, watchLine(client)))
  pool.on('remove', (client) => lines.delete(client))
  let looking = false
  const timer = setInterval(async () => {
    if (pool.ending) return clearInterval(timer)
    const late = findLate(lines.values())
    if (looking || late.length === 0) return
    looking = true
    const ended = await endLost(url, late, lines.values()).catch(() => 0)
    looking = false
    if (ended > 0) onLost(ended)
  }, LOOK_MS).unref()
}

function watchLine(client: pg.PoolClient): Line {
  const { processID: pid } = client as pg.PoolClient & { processID: number }
  const socket = client.connection.stream as Socket
  const line: Line = { pid, socket, answeredBytes: 0, heardAt: 0, unansweredSince: undefined, busyUntil: 0 }
  const hear = () => {
    line.answeredBytes = socket.bytesWritten
    line.heardAt = performance.now()
    line.unansweredSince = undefined
  }
  hear()
  socket.on('data', hear)
  return line
}

function findLate(lines: Iterable<Line>): Line[] {
  const now = performance.now()
  return [...lines].filter((line) => {
    if (line.socket.destroyed || line.socket.bytesWritten === line.answeredBytes) return false
    line.unansweredSince ??= now
    return now - line.unansweredSince >= LOOK_MS && now >= line.busyUntil
  })
}

/** @throws when PostgreSQL cannot be asked: then nothing is known of any connection. */
async function endLost(url: string, late: Line[], all: Iterable<Line>): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: 'usher-look', ...LIMITS })
  client.on('error', ignored)
  try {
    await client.connect()
    const lost = await findLost(client, late)
    if (lost.length === 0) return 0
    const ended = findSilent(all, lost)
    for (const { socket } of ended) socket.destroy()
    const pids = ended.map(({ pid }) => pid)
    await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) as ended(pid)', [pids])
    return ended.length
  } finally {
    client.end().catch(ignored)
  }
}

/** Those whose backend waits for us all the while that we wait for it; the others are left in peace for a second. */
async function findLost(client: pg.Client, late: Line[]): Promise<Line[]> {
  const asked = new Map(late.map((line) => [line, line.unansweredSince ?? 0]))
  const before = await readWaiting(client, late)
  await sleep(LOOK_MS)
  const after = await readWaiting(client, late)
  return late.filter((line) => {
    const since = asked.get(line) ?? 0
    const waits = after.get(line.pid)
    if (waits !== undefined && waits === before.get(line.pid)) return since === line.unansweredSince
    line.busyUntil = performance.now() + AGAIN_MS
    return false
  })
}

/**
 * Backends that are gone, or wait for our next word, and since when. None behind a pooler, which gives its clients process
 * ids of its own.
 */
async function readWaiting(client: pg.Client, lines: Line[]): Promise<Map<number, string>> {
  const { processID } = client as pg.Client & { processID: number }
  const { rows } = await client.query<{ pid: number; since: string }>(
    `select asked.pid, coalesce(a.state_change::text, 'gone') as since
     from unnest($1::int[]) as asked(pid) left join pg_stat_activity a using (pid)
     where (a.pid is null or a.wait_event = 'ClientRead') and pg_backend_pid() = $2`,
    [lines.map(({ pid }) => pid), processID],
  )
  return new Map(rows.map(({ pid, since }) => [pid, since]))
}

/** Whatever was not heard of since then either: in all likelihood lost as well, even where its backend is at work. */
function findSilent(lines: Iterable<Line>, lost: Line[]): Line[] {
  const since = Math.min(...lost.map(({ unansweredSince = 0 }) => unansweredSince))
  return [...lines].filter(({ heardAt }) => heardAt < since)
}

function ignored(): void {}
