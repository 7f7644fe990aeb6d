import type { Db } from '../db/client.ts'
import { nothing, run } from '../db/statement.ts'

/** Records that a sweep finished now by the database's clock, and how many rows it changed. */
export function recordSweep(db: Db, sweep: string, rows: number): Promise<void> {
  return run(db, {
    name: 'record-sweep',
    text: `insert into heartbeats (kind, name, answered_at, rows) values ('sweep', $1, now(), $2)
      on conflict (kind, name) do update set answered_at = excluded.answered_at, rows = excluded.rows`,
    values: [sweep, rows],
    read: nothing,
  })
}
