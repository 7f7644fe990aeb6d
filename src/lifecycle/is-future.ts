import type { Db } from '../db/client.ts'

/** Whether a time is still to come, by the database's clock, which all lifecycles are judged by. */
export async function isFuture(db: Db, at: Date): Promise<boolean> {
  const { rows } = await db.$client.query<{ future: boolean }>({
    name: 'is-future',
    text: 'select $1::timestamptz > now() as future',
    values: [at],
  })
  return rows[0]?.future ?? true
}
