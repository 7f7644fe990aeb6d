import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'

/** The ages of messages in the default partition of the ledger: of months that should have a partition, and all others. */
export const STRAYS = ['due', 'far'] as const
type Strays = Record<(typeof STRAYS)[number], number>

/** The months that `make_message_partition` makes: the last ten years, and up to the second next month. */
const [FIRST, END] = [-120, 3].map(
  (months) =>
    `(date_trunc('month', now() at time zone 'UTC') + interval '${months} months') at time zone 'UTC'`,
)

const count = (...times: string[]) =>
  times
    .map((time) => `(select count(*)::int from (select from messages_default where ${time} limit 10000) s)`)
    .join(' + ')

/** Counts the messages in the default partition of the ledger, each kind up to 10,000 or a little more. */
export function countStrays(db: Db): Promise<Strays> {
  return run(db, {
    name: 'count-strays',
    text: `select ${count(`sent_at >= ${FIRST} and sent_at < ${END}`)} as due,
      ${count(`sent_at < ${FIRST}`, `sent_at >= ${END}`)} as far`,
    values: [],
    read: ([row]: Strays[]) => row ?? { due: 0, far: 0 },
  })
}
