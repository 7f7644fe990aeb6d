import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'

/** A partition of the ledger, with about how many messages it has. */
export type Month = { name: string; messages: number }

const TRIES = 10
const PAUSE_MS = 200

/** The partitions of the ledger whose months ended before a time. */
export function listOldMonths(db: Db, before: Date): Promise<Month[]> {
  return run(db, {
    name: 'list-old-months',
    text: `select c.relname as name, greatest(c.reltuples, 0)::float8 as messages
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'messages'::regclass and c.relname ~ '^messages_[0-9]{6}$'
        and c.relname < 'messages_' || to_char($1::timestamptz, 'YYYYMM') order by 1`,
    values: [before],
    read: allRows<Month>,
  })
}

/**
 * Drops the partitions of the ledger whose months ended before a time, if no org keeps them. A try waits for each of its two
 * locks for 20 ms at most, because routing waits behind it, and is repeated. A partition whose locks are never free is left to the next run.
 * @returns those that were dropped
 */
export async function dropOldMonths(db: Db, before: Date): Promise<Month[]> {
  const months = await listOldMonths(db, before)
  const dropped: Month[] = []
  for (const month of months) {
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (await dropMonth(db, month)) {
        dropped.push(month)
        break
      }
      await sleep(PAUSE_MS)
    }
  }
  return dropped
}

function dropMonth(db: Db, { name }: Month): Promise<boolean> {
  return run(db, {
    text: 'select drop_message_partition($1) as dropped',
    values: [name],
    read: ([row]: { dropped: boolean }[]) => row?.dropped ?? false,
  })
}
