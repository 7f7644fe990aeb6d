import type pg from 'pg'
import { byteaArray } from '../db/arrays.ts'
import { type Database, together } from '../db/client.ts'

type Inserted = { id: string }

/** Ids follow the order of arrival: the ordinality is known to be sorted, so the plan has no sort. */
const CROWD = {
  name: 'inbox-insert',
  text: `insert into inbox (body)
         select body from unnest($1::bytea[]) with ordinality as arrived(body, place) order by place
         returning id`,
}

/**
 * Stores deliveries, durable when it resolves with their ids.
 * @param timeoutMs of the query; it also destroys the connection, which may be half open
 */
export async function insertCrowd(
  { $client }: Database['db'],
  bodies: Buffer[],
  timeoutMs: number,
): Promise<number[]> {
  const query = { ...CROWD, values: [byteaArray(bodies)], query_timeout: timeoutMs }
  const { rows } = await $client.query<Inserted>(query)
  return rows.map((row) => Number(row.id))
}

/** Where workers hear of a lone delivery: its id, and behind a space the trace that stored it. */
export const STORED_CHANNEL = 'usher_stored'

/** It does not wait for the disk, so that a worker has the row meanwhile; `FLUSH` behind it does, for both. */
const LONE = {
  name: 'inbox-insert-lone',
  text: `with stored as (insert into inbox (body) values ($1) returning id)
         select id, pg_notify('${STORED_CHANNEL}', id || ' ' || $2), set_config('synchronous_commit', 'off', true)
         from stored`,
}
/** The least that PostgreSQL waits for the disk for, and so for all that was committed before it. */
const FLUSH = { name: 'inbox-flush', text: `select pg_logical_emit_message(true, 'usher', '')` }

/**
 * As `insertCrowd`, for one delivery, and tells the workers at once: 0.5 ms from commit to claim, where a job takes 3.
 * A hint that nobody hears costs nothing; but transactions that notify commit one after another, so it is not for crowds.
 * What a worker does before the row is durable is in the log behind it, and so never outlives it.
 * @param trace to be gone on in
 */
export async function insertLone(
  { $client: pool }: { $client: pg.Pool },
  [body]: Buffer[],
  timeoutMs: number,
  trace: string,
): Promise<number[]> {
  const client = await pool.connect()
  try {
    const lone = { ...LONE, values: [body, trace], query_timeout: timeoutMs }
    const flush = { ...FLUSH, query_timeout: timeoutMs }
    const [{ rows }] = await together([client.query<Inserted>(lone), client.query(flush)])
    client.release()
    return rows.map((row) => Number(row.id))
  } catch (error) {
    client.release(true)
    throw error
  }
}
