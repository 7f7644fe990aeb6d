import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findLate, type WatchedConnection, watchConnection } from './watched-connection.ts'

const CHECK_EVERY_MS = 500
/** Pause between the two looks at a backend that tell a lost connection from a slow statement. */
const SECOND_LOOK_MS = 500
/** A connection whose backend works is not examined again for so long. */
const LEAVE_WORKING_MS = 1_000
const LIMITS = { connectionTimeoutMillis: 1_000, query_timeout: 1_000 }

/**
 * Ends connections of a pool that were lost silently, as when a firewall dropped them or the server moved, within 2 s
 * instead of at the deadline of a statement. When an answer is late, PostgreSQL is asked over another connection: a
 * connection is lost when its backend waits for a request while the client waits for an answer. It is ended together
 * with all connections that have been silent for as long, and so are their backends, which may hold locks. A statement
 * that is only slow goes on.
 * @param onLost receives the number of connections that were ended
 */
export function endLostConnections(pool: pg.Pool, url: string, onLost: (connections: number) => void): void {
  const connections = new Map<pg.PoolClient, WatchedConnection>()
  pool.on('connect', (client) => connections.set(client, watchConnection(client)))
  pool.on('remove', (client) => connections.delete(client))
  let isChecking = false
  const timer = setInterval(async () => {
    if (pool.ending) return clearInterval(timer)
    const late = findLate(connections.values())
    if (isChecking || late.length === 0) return
    isChecking = true
    const ended = await endLost(url, late, connections.values()).catch(() => 0)
    isChecking = false
    if (ended > 0) onLost(ended)
  }, CHECK_EVERY_MS).unref()
}

/** @throws when PostgreSQL cannot be asked, in which case nothing is known about any connection. */
async function endLost(
  url: string,
  late: WatchedConnection[],
  all: Iterable<WatchedConnection>,
): Promise<number> {
  const client = new pg.Client({ connectionString: url, application_name: 'usher-look', ...LIMITS })
  client.on('error', ignore)
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
    client.end().catch(ignore)
  }
}

/**
 * The late connections whose backend waited for a request at both looks, without a change between them. The backends of
 * the others work; these connections are left alone for a second.
 */
async function findLost(client: pg.Client, late: WatchedConnection[]): Promise<WatchedConnection[]> {
  const asked = new Map(late.map((one) => [one, one.unansweredSince ?? 0]))
  const before = await readWaiting(client, late)
  await sleep(SECOND_LOOK_MS)
  const after = await readWaiting(client, late)
  return late.filter((one) => {
    const since = asked.get(one) ?? 0
    const waits = after.get(one.pid)
    if (waits !== undefined && waits === before.get(one.pid)) return since === one.unansweredSince
    one.workingUntil = performance.now() + LEAVE_WORKING_MS
    return false
  })
}

/**
 * The process ids of backends that are gone, or that wait for a request from their client, and since when. The result is
 * empty behind a pooler, which gives its clients process ids of its own: `pg_backend_pid()` then differs from ours.
 */
async function readWaiting(
  client: pg.Client,
  connections: WatchedConnection[],
): Promise<Map<number, string>> {
  const { processID } = client as pg.Client & { processID: number }
  const { rows } = await client.query<{ pid: number; since: string }>(
    `select asked.pid, coalesce(a.state_change::text, 'gone') as since
     from unnest($1::int[]) as asked(pid) left join pg_stat_activity a using (pid)
     where (a.pid is null or a.wait_event = 'ClientRead') and pg_backend_pid() = $2`,
    [connections.map(({ pid }) => pid), processID],
  )
  return new Map(rows.map(({ pid, since }) => [pid, since]))
}

/**
 * All connections without an answer since the lost ones fell silent, the lost ones included. In all likelihood they are
 * lost as well, even where their backend works.
 */
function findSilent(
  connections: Iterable<WatchedConnection>,
  lost: WatchedConnection[],
): WatchedConnection[] {
  const since = Math.min(...lost.map(({ unansweredSince = 0 }) => unansweredSince))
  return [...connections].filter(({ lastAnswerAt }) => lastAnswerAt < since)
}

function ignore(): void {}
