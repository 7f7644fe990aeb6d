import type { Db } from './client.ts'
import { run } from './statement.ts'

/** The database's clock, which decides everything that depends on the time. */
export function readNow(db: Db): Promise<Date> {
  return run(db, {
    name: 'read-now',
    text: 'select clock_timestamp() as now',
    values: [],
    read: (rows: { now: Date }[]) => {
      const [row] = rows
      if (!row) throw new Error('the database gave no time')
      return row.now
    },
  })
}
