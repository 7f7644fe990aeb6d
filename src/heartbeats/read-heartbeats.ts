import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'
import { QUEUE_NAMES } from '../queue/names.ts'
import { SCHEDULES } from '../queue/schedules.ts'

/** Seconds since the last sign of life, by name; null when there was none yet. */
export type Ages = Record<string, number | null>

/** `canaries`: the age of each queue's last answered canary. `sweeps`: the time since each sweep last finished. */
export type Heartbeats = { canaries: Ages; sweeps: Ages }

type Row = { kind: 'queue' | 'sweep'; name: string; age: number }

/** Reads the age of all signs of life, by the database's clock. */
export async function readHeartbeats(db: Db): Promise<Heartbeats> {
  const rows = await run(db, {
    name: 'read-heartbeats',
    text: `select kind, name, extract(epoch from now() - answered_at)::float8 as age from heartbeats
      where answered_at is not null`,
    values: [],
    read: allRows<Row>,
  })
  const agesOf = (kind: Row['kind'], names: readonly string[]): Ages =>
    Object.fromEntries(
      names.map((name) => [name, rows.find((r) => r.kind === kind && r.name === name)?.age ?? null]),
    )
  return {
    canaries: agesOf('queue', QUEUE_NAMES),
    sweeps: agesOf(
      'sweep',
      SCHEDULES.map(({ name }) => name),
    ),
  }
}
