import type { Db } from '../db/client.ts'

/** How many numbers, of all orgs, may not send until they are provisioned with a new token. */
export async function countStoppedNumbers(db: Db): Promise<number> {
  const { rows } = await db.$client.query<{ count: number }>({
    name: 'count-stopped-numbers',
    text: 'select count(*)::int as count from waba_phones where stopped_at is not null',
  })
  return rows[0]?.count ?? 0
}
