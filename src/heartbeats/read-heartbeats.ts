import type { Db } from '../db/client.ts'
import { QUEUE_NAMES } from '../queue/names.ts'
import { SCHEDULES } from '../queue/schedules.ts'

/** Seconds since the last sign of life, by name; null: never seen. */
export type Ages = Record<string, number | null>

/** `canaries`: since a worker of each queue last answered one. `sweeps`: since each last finished. */
export type Heartbeats = { canaries: Ages; sweeps: Ages }

type Row = { kind: 'queue' | 'sweep'; name: string; age: number }

/** All signs of life, their ages by the database's clock. */
export async function readHeartbeats(db: Db): Promise<Heartbeats> {
  const { rows } = await db.$client.query<Row>({
    name: 'read-heartbeats',
    text: `select kind, name, extract(epoch from now() - answered_at)::float8 as age from heartbeats
      where answered_at is not null`,
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
