import type { Db } from '../db/client.ts'
import { run, type Statement } from '../db/statement.ts'

/**
 * So many messages move out of the default partition together with the making of a month, at most: routing waits
 * meanwhile. `npm run migrate` moves any number.
 */
const MOST = 10_000

/**
 * Makes the partitions of the ledger that are missing at a time: of the months from the last one to the second next, and of
 * earlier months that have messages in the default partition, which move. Any number of processes may call this; one works.
 * A month whose locks are not free within 100 ms, or that has too many messages, is left to the next call.
 */
export async function keepMonths(db: Db, now: Date): Promise<{ made: number }> {
  let made = 0
  while (await run(db, makeNext(now))) made += 1
  return { made }
}

function makeNext(now: Date): Statement<boolean> {
  return {
    text: 'select make_message_partition($1, $2) as made',
    values: [now, MOST],
    read: ([row]: { made: boolean }[]) => row?.made ?? false,
  }
}
