import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Database, openDatabase } from '../../src/db/client.ts'
import { store } from '../support/inbox.ts'
import { bodyAt } from './requests.ts'

/** Pairs that warm up and are not counted. */
const WARM_UP = 10

type Route = (db: Database['db'], ids: number[]) => Promise<unknown>
/** One checkout under test: its routing, over a connection of its own, to a copy of the database of its own. */
export type Side = { label: 'a' | 'b'; db: Database['db']; route: Route; close(): Promise<void> }
/** What one batch cost: microseconds of CPU of PostgreSQL's backend and of Node, of time, and bytes of WAL, a message. */
export type Cost = { backend: number; node: number; cpu: number; wall: number; wal: number }

/** How many pairs of batches of how many messages, into how many chatrooms. */
export type Turns = { rooms: number; batch: number; pairs: number }

/**
 * Lets the two sides route the same messages, in turns, batch by batch, so a machine that is faster or slower for minutes
 * changes both sides alike; gives what a message cost in each pair of batches.
 */
export async function takeTurns(
  sides: readonly [Side, Side],
  { rooms, batch, pairs }: Turns,
): Promise<[Cost, Cost][]> {
  const run = `${Date.now().toString(36)}000`
  const load = { run, mix: 'messages' as const, rooms, count: (pairs + WARM_UP) * batch }
  const costs: [Cost, Cost][] = []
  for (let pair = 0; pair < pairs + WARM_UP; pair += 1) {
    const bodies = Array.from({ length: batch }, (_, k) => bodyAt(load, pair * batch + k))
    const order = pair % 2 === 0 ? sides : ([sides[1], sides[0]] as const)
    const first = await routeOnce(order[0], bodies)
    const second = await routeOnce(order[1], bodies)
    costs.push(pair % 2 === 0 ? [first, second] : [second, first])
  }
  return costs.slice(WARM_UP)
}

/** Opens a side: the routing of the checkout in `folder`, built, on the database at `url`. */
export async function openSide(label: Side['label'], folder: string, url: string): Promise<Side> {
  const load = (file: string) => import(pathToFileURL(join(folder, 'dist/src', file)).href)
  const client: { openDatabase: typeof openDatabase } = await load('db/client.js')
  const { db, close } = client.openDatabase(url, { max: 1, name: `bench-${label}`, onLost: () => {} })
  return { label, db, route: await loadRoute(folder, load), close }
}

/** Routing as each version exports it: a batch that PostgreSQL refuses ends the benchmark. */
async function loadRoute(folder: string, load: (file: string) => Promise<unknown>): Promise<Route> {
  const fail = (error: unknown) => {
    throw error
  }
  const isNewer = existsSync(join(folder, 'dist/src/routing/route-deliveries.js'))
  const module = await load(isNewer ? 'routing/route-deliveries.js' : 'routing/route-batch.js')
  const { routeDeliveries, routeBatch } = module as Record<string, (...args: unknown[]) => Promise<unknown>>
  const route = routeDeliveries ?? routeBatch
  if (route === undefined) throw new Error(`${folder} exports no routing that this benchmark knows`)
  return (db, ids) => route(db, ids, fail)
}

async function routeOnce({ db, route }: Side, bodies: Buffer[]): Promise<Cost> {
  const ids = await store(db, ...bodies)
  const { at: walBefore, backend } = await connectionOf(db)
  const [backendBefore, nodeBefore, began] = [backendMicros(backend), process.cpuUsage(), performance.now()]
  await route(db, ids)
  const wall = (performance.now() - began) * 1_000
  const { user, system } = process.cpuUsage(nodeBefore)
  const backendCpu = backendMicros(backend) - backendBefore
  const written = (await connectionOf(db)).at - walBefore
  const each = (total: number) => total / bodies.length
  const node = each(user + system)
  return {
    backend: each(backendCpu),
    node,
    cpu: each(backendCpu) + node,
    wall: each(wall),
    wal: each(written),
  }
}

/**
 * The place in the write-ahead log, in bytes, and the process that serves the pool's one connection: the pool makes a new
 * connection after it was idle, while the other side's database was being copied for example.
 */
async function connectionOf(db: Database['db']): Promise<{ at: number; backend: number }> {
  const { rows } = await db.$client.query(
    `select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as at, pg_backend_pid() as backend`,
  )
  return { at: Number(rows[0].at), backend: rows[0].backend }
}

/** CPU time of a process so far, in microseconds: the scheduler's own count where the kernel has it, else in ticks. */
function backendMicros(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000
  } catch {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  }
}

/** The table of what a message cost on either side, and of the ratios of the pairs; `names` are those of the sides. */
export function reportOf(
  costs: [Cost, Cost][],
  { rooms, batch }: Turns,
  names: readonly [string, string],
): string {
  const rows = (['backend', 'node', 'cpu', 'wall', 'wal'] as const).map((name) => {
    const median = (values: number[]) => quantile(values, 0.5)
    const a = costs.map(([cost]) => cost[name])
    const b = costs.map(([, cost]) => cost[name])
    const ratios = costs.map(([mine, others]) => mine[name] / others[name])
    const spread = `${quantile(ratios, 0.1).toFixed(3)}-${quantile(ratios, 0.9).toFixed(3)}`
    return `| ${name} | ${median(a).toFixed(1)} | ${median(b).toFixed(1)} | ${median(ratios).toFixed(3)} (${spread}) |`
  })
  return [
    `${costs.length} pairs of batches of ${batch} messages, ${rooms} chatrooms; a message, in us of CPU, us, and bytes of WAL`,
    `| | A: ${names[0]} | B: ${names[1]} | A / B, median (10-90 %) |`,
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/** The value below which this share of the values lies. */
export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((x, y) => x - y)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}
