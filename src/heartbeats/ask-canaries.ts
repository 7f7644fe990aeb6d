import type { Db } from '../db/client.ts'
import { QUEUE_NAMES, type QueueName } from '../queue/names.ts'

/** Ids that a queue's canaries take in turn: bounds how many wait when nobody works, and outlives one that is lost. */
const TURNS = 8

/**
 * Which queues are due for a canary, 30 s after the last, and the turn its id takes; each process may ask at any
 * time, and one of them is told. By the database's clock.
 */
export async function askCanaries(db: Db): Promise<{ queue: QueueName; turn: number }[]> {
  const { rows } = await db.$client.query<{ queue: QueueName; turn: number }>({
    name: 'ask-canaries',
    text: `insert into heartbeats as h (kind, name, asked_at)
      select 'queue', name, now() from unnest($1::text[]) as name
      on conflict (kind, name) do update set asked_at = excluded.asked_at
        where h.asked_at is null or h.asked_at <= now() - interval '30 seconds'
      returning name as queue, (extract(epoch from now())::bigint / 30 % ${TURNS})::int as turn`,
    values: [QUEUE_NAMES],
  })
  return rows
}
