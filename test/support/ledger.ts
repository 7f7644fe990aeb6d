import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { TestOrg } from './org.ts'

/** A message that is put into the ledger without routing. */
type Row = {
  wamid: string
  at: Date
  roomId?: string
  customerId?: string
  direction?: 'in' | 'out'
}

/** Puts a message into the ledger, as if it had been routed or sent then. */
export async function insertMessage(pool: pg.Pool, org: TestOrg, row: Row): Promise<void> {
  const { wamid, at, roomId = null, customerId = null, direction = 'in' } = row
  await pool.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at, seq,
       reason, payload, outbox_id)
     values ($1, $2, $3, $4, $5, $6, 'text', $7, $7, 1, 'x', '{}', $8)`,
    [
      ...[org.id, wamid, org.phones[0], customerId, roomId, direction, at],
      direction === 'out' ? uuidv7({ msecs: at.getTime() }) : null,
    ],
  )
}

/** The partitions of the ledger that have messages of an org, and how many. */
export async function partitionsOf(pool: pg.Pool, org: TestOrg): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ name: string; count: number }>(
    'select tableoid::regclass::text as name, count(*)::int as count from messages where org_id = $1 group by 1',
    [org.id],
  )
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]))
}

/** The first moment of the UTC month of `at`, or of one of the months after it. */
export function monthOf(at: Date, months = 0): Date {
  return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months, 1))
}

/** The name of the partition of the month of `at`. */
export const partitionOf = (at: Date) => `messages_${at.toISOString().slice(0, 7).replace('-', '')}`

/** SQL: takes away what makes a message unique, in each partition of the ledger. */
export const DROP_KEYS_OF_MONTHS = `do $$
  declare part regclass;
  begin
    for part in select inhrelid::regclass from pg_inherits where inhparent = 'messages'::regclass loop
      execute format('alter table %s drop constraint if exists %I', part, part || '_pkey');
    end loop;
    drop index messages_default_once;
  end $$`
