import type { Db } from '../db/client.ts'
import { QUEUE_NAMES, type QueueName } from '../queue/names.ts'

/**
 * Number of job ids that the canaries of a queue take in turn. No more than that many canaries wait while no worker runs,
 * and a lost canary does not block its id for ever.
 */
const TURNS = 8

/**
 * Claims the canaries that are due: one for each queue, 30 s after the last one by the database's clock, with the turn for
 * its job id. Any process may call this at any time; each canary is claimed by one of them.
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
