import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { batchesBetween, readBatches } from './batches.ts'
import type { Child } from './child.ts'
import { type Figures, latencyOf } from './figures.ts'
import type { Load, LoadResult, ToGenerator } from './generator.ts'
import { cpuBetween, type Metered, readCpu, readPeakMemory, readWal } from './meters.ts'
import { type Batch, isMessage } from './requests.ts'
import { insertOutgoing, restoreRooms } from './rows.ts'
import type { SqlLoad, SqlResult, ToSqlAlone } from './sql-alone.ts'
import type { Running } from './variants.ts'

/** What every measurement needs. */
export type Bench = {
  client: pg.Client
  generator: Child<ToGenerator, LoadResult>
  /** PostgreSQL and Redis. */
  servers: Metered[]
}

const DRAIN_MS = 180_000

let runs = 0
/** An identifier that no other run has; its last characters are the seed for the choice of rooms. */
export const newRun = () => `${Date.now().toString(36)}${(runs++).toString(36).padStart(3, '0')}`

/** Sends one load to a running variant, waits until everything is routed, and undoes its lasting changes. */
export async function measureLoad(
  bench: Bench,
  running: Running,
  wanted: Omit<Load, 'run' | 'port'>,
  onStart = () => {},
): Promise<Figures> {
  const { client, generator } = bench
  const load: Load = { ...wanted, run: newRun(), port: running.port }
  const since = await clockOf(client)
  if (load.mix === 'statuses') await insertOutgoing(client, load.run, Math.ceil(load.count / 4), load.rooms)
  await generator.ask({ prepare: load })
  await client.query('checkpoint')
  const metered = [...bench.servers, ...running.processes, { name: 'load generator', pid: generator.pid }]
  const batches = await readBatches(running.processes)
  const [cpu, wal] = [readCpu(metered), await readWal(client)]
  onStart()
  const result = await generator.ask({ go: true })
  const drained = running.drained === undefined || (await within(DRAIN_MS, running.drained))
  const used = cpuBetween(cpu, readCpu(metered))
  const walUsed = (await readWal(client)) - wal
  const memory = readPeakMemory(metered)
  const routed = running.drained ? await readRouted(client, load) : undefined
  if (!drained) throw new Error(`not all was routed within ${DRAIN_MS / 1000} s`)
  if (running.drained) await restoreRooms(client, since)
  return {
    ...answered(result),
    ...(routed ? routedFigures(result, load, routed) : { routed_per_s: null, routed_ms: null, lost: 0 }),
    batches: batchesBetween(batches, await readBatches(running.processes)),
    cpu_s_per_1000: perThousand(used, result.accepted),
    memory_mb: memory,
    wal_bytes_per_item: routed ? walUsed / result.accepted : null,
  }
}

/** Measures the routing of deliveries that are in the inbox already. */
export async function measureSql(
  bench: Bench,
  sql: Child<ToSqlAlone, SqlResult>,
  wanted: Omit<SqlLoad, 'run'>,
  onStart = () => {},
): Promise<Figures> {
  const { client } = bench
  const load = { ...wanted, run: newRun() }
  const since = await clockOf(client)
  if (load.mix === 'statuses') await insertOutgoing(client, load.run, Math.ceil(load.count / 4), load.rooms)
  await sql.ask({ prepare: load })
  await client.query('checkpoint')
  const metered = [...bench.servers, { name: 'workers', pid: sql.pid }]
  const [cpu, wal] = [readCpu(metered), await readWal(client)]
  onStart()
  const { startedAt, lastAt, routed, ranOut } = await sql.ask({ go: true })
  const used = cpuBetween(cpu, readCpu(metered))
  const walUsed = (await readWal(client)) - wal
  const memory = readPeakMemory(metered)
  await restoreRooms(client, since)
  return {
    ...{ acknowledged: routed, refused: 0, unanswered: 0, lost: 0, ran_out: ranOut },
    ...{ acknowledged_per_s: null, answer_ms: null, routed_ms: null, batches: null },
    routed_per_s: (routed * 1_000) / (lastAt - startedAt),
    cpu_s_per_1000: perThousand(used, routed),
    memory_mb: memory,
    wal_bytes_per_item: walUsed / routed,
  }
}

function answered({ accepted, refused, unanswered, answer, startedAt, lastAt, ranOut }: LoadResult) {
  return {
    ...{ acknowledged: accepted, refused, unanswered, ran_out: ranOut, answer_ms: answer },
    acknowledged_per_s: (accepted * 1_000) / (lastAt - startedAt),
  }
}

type Routed = { messages: Map<number, number>; lastAt: number }

function routedFigures(
  { accepted, answerMs, sentAt, startedAt }: LoadResult,
  { mix }: Batch,
  routed: Routed,
) {
  const latencies: number[] = []
  let lost = 0
  answerMs.forEach((took, place) => {
    if (took === 0 || !isMessage(mix, place)) return
    const at = routed.messages.get(place)
    if (at === undefined) lost += 1
    else latencies.push(at - (sentAt[place] ?? 0))
  })
  return {
    lost,
    routed_per_s: (accepted * 1_000) / (routed.lastAt - startedAt),
    routed_ms: latencyOf(latencies),
  }
}

/** When the transactions that routed this run's messages and statuses were committed, by PostgreSQL's own record. */
export async function readRouted(client: pg.Client, { run }: Pick<Batch, 'run'>): Promise<Routed> {
  const { rows } = await client.query<{ wamid: string; at: string; status: string | null }>(
    `select m.wamid, m.status, extract(epoch from pg_xact_commit_timestamp(m.xmin)) * 1000 as at
     from orgs o cross join lateral (
       select wamid, status, xmin, direction from messages m
       where m.org_id = o.id and m.wamid >= $1 and m.wamid < $2) m
     where m.direction = 'in' or m.status is not null`,
    [`wamid.${run}.`, `wamid.${run}/`],
  )
  const messages = new Map<number, number>()
  let lastAt = 0
  for (const { wamid, at, status } of rows) {
    lastAt = Math.max(lastAt, Number(at))
    if (status === null) messages.set(Number(wamid.slice(wamid.lastIndexOf('.') + 1)), Number(at))
  }
  return { messages, lastAt }
}

function perThousand(cpu: ReturnType<typeof readCpu>, items: number) {
  if (cpu === null) return null
  return Object.fromEntries(Object.entries(cpu).map(([name, seconds]) => [name, (seconds * 1_000) / items]))
}

async function within(ms: number, done: () => Promise<boolean>): Promise<boolean> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await sleep(100))
    if (await done()) return true
  return false
}

async function clockOf(client: pg.Client): Promise<Date> {
  return (await client.query<{ now: Date }>('select now()')).rows[0]?.now ?? new Date()
}
