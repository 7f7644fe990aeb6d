import { randomInt } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import { migrate } from '../../src/db/migrate.ts'
import type { Changes } from '../../src/lifecycle/changes.ts'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../../src/lifecycle/expire-old.ts'
import { previewSweep } from '../../src/lifecycle/preview-sweep.ts'
import type { OnProgress } from '../../src/lifecycle/sweep-in-batches.ts'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { store } from '../support/inbox.ts'
import { recordStatements, type Statement } from '../support/statements.ts'
import { message, post } from '../support/webhooks.ts'

const ORGS = 100
const MESSAGES = 100
const BASELINE_MS = 20_000
const DAYS = { inactivity_days: 30, expiry_days: 365 }

const print = (line: string) => process.stdout.write(`${line}\n`)
const phoneOf = (org: number) => `bench-phone-${org}`
const open = (url: string) => openDatabase(url, { max: 2, name: 'bench', onLost: () => {} })

/**
 * Sweeps a tenth of `--rooms N` chatrooms (1,000,000) of 100 orgs while batches of messages are routed beside it,
 * and prints rows per second, what routing felt of it, and the plans. On the server of DATABASE_URL, in a database
 * of its own that is dropped in the end, or on an embedded one.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rooms: { type: 'string', default: '1000000' } } })
  const rooms = Number(values.rooms)
  await withEmptyDatabase(async (url) => {
    const [sweeping, routing] = [open(url), open(url)]
    await load(url, sweeping.db, rooms)
    const locks = timeStatements(routing.db.$client, 'lock-customers')
    const route = () => routeMessages(routing.db, rooms)

    print(`\nRouting alone, ${BASELINE_MS / 1000} s, batches of ${MESSAGES} messages:`)
    const baseline = await routeWhile(new Promise((resolve) => setTimeout(resolve, BASELINE_MS)), route)
    report(baseline, locks.splice(0))

    for (const at of [undefined, new Date(Date.now() + 1_000 * 86_400_000)]) {
      const { ms, result } = await timed(() => previewSweep(sweeping.db, at))
      print(`\nPreview of ${total(result)} changes: ${Math.round(ms)} ms`)
    }
    const recorder = recordStatements(sweeping.db.$client)
    for (const [name, work] of Object.entries({ expireOld, deactivateInactive })) {
      const sweep = measureSweep((progress) => work(sweeping.db, undefined, progress))
      const times = await routeWhile(sweep, route)
      const { rows, ms, batches } = await sweep
      print(
        `\n${name}: ${rows} rows in ${(ms / 1000).toFixed(1)} s, ${Math.round((rows * 1000) / ms)} rows/s`,
      )
      print(`  batch of the sweep: ${summary(batches)}\n  routing beside it:`)
      report(times, locks.splice(0))
    }
    recorder.stop()
    print('\nPlans:')
    for (const statement of onePerName(recorder.statements)) {
      print(`\n${statement.name}\n${await explain(sweeping.db, statement)}`)
    }
    await Promise.all([sweeping.close(), routing.close()])
  })
}

/** Routes batch after batch until `over` ends; gives the milliseconds that each batch took. */
async function routeWhile(over: Promise<unknown>, route: () => Promise<void>): Promise<number[]> {
  const times: number[] = []
  let running = true
  const ended = over.finally(() => {
    running = false
  })
  while (running) times.push((await timed(route)).ms)
  await ended
  return times
}

async function routeMessages(db: Database['db'], rooms: number): Promise<void> {
  const bodies = Array.from({ length: MESSAGES }, () => {
    const room = randomInt(rooms) + 1
    return post(phoneOf(room % ORGS), message({ from: waIdOf(room) }))
  })
  await routeDeliveries(db, await store(db, ...bodies), (error) => print(`poison: ${error}`))
}

async function measureSweep(sweep: (progress: OnProgress) => Promise<Changes>) {
  const batches: number[] = []
  let last = performance.now()
  const { ms, result } = await timed(() =>
    sweep(() => {
      batches.push(performance.now() - last)
      last = performance.now()
    }),
  )
  return { ms, batches, rows: total(result) }
}

/** The milliseconds that each statement of this name takes on a pool, from now on. */
function timeStatements(pool: pg.Pool, name: string): number[] {
  const times: number[] = []
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
    client.query = ((...args: unknown[]) => {
      const sent = query(...args)
      if ((args[0] as { name?: string }).name !== name) return sent
      const start = performance.now()
      return sent.finally(() => times.push(performance.now() - start))
    }) as typeof client.query
  })
  return times
}

async function withEmptyDatabase(work: (url: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'usher-bench-'))
  // As root, PostgreSQL runs as another user, who must be able to pass through.
  await chmod(folder, 0o755)
  const given = process.env.DATABASE_URL
  const server = given
    ? { url: given, stop: async () => {} }
    : await startEmbedded({ dataDir: join(folder, 'postgres'), log: print })
  const name = `usher_bench_${process.pid}`
  const admin = new pg.Client(server.url)
  await admin.connect()
  await admin.query(`create database ${name}`)
  try {
    const url = Object.assign(new URL(server.url), { pathname: `/${name}` }).href
    await migrate(url)
    await work(url)
  } finally {
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
    await server.stop()
    await rm(folder, { recursive: true })
  }
}

/** Of every 20 customers, one is due for expiry and one for inactivity; the others are neither. */
async function load(url: string, db: Database['db'], rooms: number): Promise<void> {
  const orgs = Array.from({ length: ORGS }, (_, i) => ({
    id: `bench-${i}`,
    name: `Bench ${i}`,
    settings: DAYS,
    wabas: [
      { id: `bench-waba-${i}`, name: 'Main', phones: [{ id: phoneOf(i), display_phone_number: `${i}` }] },
    ],
  }))
  await provision(db, parseProvisionFile(JSON.stringify({ orgs })), undefined)
  const client = new pg.Client(url)
  await client.connect()
  const id = `('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`
  const from = `from generate_series(1, ${rooms}) n`
  const { ms } = await timed(async () => {
    for (const statement of [
      `insert into customers (org_id, id) select 'bench-' || n % ${ORGS}, ${id} ${from}`,
      `insert into customer_aliases (org_id, kind, value, customer_id)
       select 'bench-' || n % ${ORGS}, 'wa_id', (15550000000 + n)::text, ${id} ${from}`,
      `insert into contacts (org_id, id, customer_id, crm_id, created_at)
       select 'bench-' || n % ${ORGS}, ${id}, ${id}, n::text,
         now() - interval '1 day' * (random() * 300 + case when (n / ${ORGS}) % 20 = 0 then 366 else 40 end) ${from}`,
      `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, activated_at)
       select 'bench-' || n % ${ORGS}, ${id}, ${id}, ${id}, 'bench-phone-' || n % ${ORGS}, n::text,
         now() - interval '1 day' * (random() * 29 + case when (n / ${ORGS}) % 20 = 10 then 30 else 0 end) ${from}`,
      'vacuum analyze',
    ])
      await client.query(statement)
  })
  await client.end()
  print(
    `Loaded ${rooms} chatrooms of ${ORGS} orgs in ${Math.round(ms / 1000)} s; load average ${loadavg()[0]}.`,
  )
}

async function explain(db: Database['db'], { text, values }: Statement): Promise<string> {
  const { rows } = await db.$client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

function waIdOf(room: number): string {
  return String(15_550_000_000 + room)
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now()
  const result = await work()
  return { ms: performance.now() - start, result }
}

function report(batches: number[], locks: number[]): void {
  const rate = Math.round((batches.length * MESSAGES * 1000) / batches.reduce((sum, ms) => sum + ms, 0))
  print(`  ${rate} messages/s; batch: ${summary(batches)}`)
  print(`  locking the customers of a batch: ${summary(locks)}`)
}

function summary(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => `${(sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1)} ms`
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} (${times.length})`
}

function total(changes: Changes): number {
  return [...changes.values()]
    .flatMap((counts) => Object.values(counts))
    .reduce((sum, count) => sum + count, 0)
}

function onePerName(statements: Statement[]): Statement[] {
  const named = statements.filter((s) => s.name !== '' && s.name !== 'record-events')
  return [...new Map(named.toReversed().map((s) => [s.name, s])).values()]
}

await main()
