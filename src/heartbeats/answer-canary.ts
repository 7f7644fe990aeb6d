import type { Db } from '../db/client.ts'
import { nothing, run } from '../db/statement.ts'
import type { QueueName } from '../queue/names.ts'

/** Records, by the database's clock, that a worker of this queue took a canary and reached the database. */
export function answerCanary(db: Db, queue: QueueName): Promise<void> {
  return run(db, {
    name: 'answer-canary',
    text: `insert into heartbeats (kind, name, answered_at) values ('queue', $1, now())
      on conflict (kind, name) do update set answered_at = excluded.answered_at`,
    values: [queue],
    read: nothing,
  })
}
