import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'

/** Whether a time lies in the future by the database's clock, which decides what is due. */
export function isFuture(db: Db, at: Date): Promise<boolean> {
  return run(db, {
    name: 'is-future',
    text: 'select $1::timestamptz > now() as future',
    values: [at],
    read: ([row]: { future: boolean }[]) => row?.future ?? true,
  })
}
