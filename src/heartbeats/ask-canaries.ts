import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { allRows, over, run } from '../db/statement.ts'
import { QUEUE_NAMES, type QueueName } from '../queue/names.ts'

/**
 * Number of job ids that the canaries of a queue take in turn. No more than that many canaries wait while no worker runs,
 * and a lost canary does not block its id for ever.
 */
const TURNS = 8

const QUEUES = columns<QueueName>({ name: text((name) => name) })

type CanaryTurn = { queue: QueueName; turn: number }

/**
 * Claims the canaries that are due: one for each queue, 30 s after the last one by the database's clock, with the turn for
 * its job id. Any process may call this at any time; each canary is claimed by one of them.
 */
export function askCanaries(db: Db): Promise<CanaryTurn[]> {
  const statement = over(QUEUES, [...QUEUE_NAMES], {
    name: 'ask-canaries',
    text: `insert into heartbeats as h (kind, name, asked_at)
      select 'queue', name, now() from ${QUEUES.as('q')}
      on conflict (kind, name) do update set asked_at = excluded.asked_at
        where h.asked_at is null or h.asked_at <= now() - interval '30 seconds'
      returning name as queue, (extract(epoch from now())::bigint / 30 % ${TURNS})::int as turn`,
    read: allRows<CanaryTurn>,
  })
  return run(db, statement)
}
