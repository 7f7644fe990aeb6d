import { columns, text, uuid } from '../db/columns.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import type { Pair } from '../rules/keys.ts'

const PAIRS = columns<Pair>({
  org_id: text((p) => p.orgId),
  customer_id: uuid((p) => p.customerId),
  waba_phone_id: text((p) => p.phoneId),
})
const ROWS = columns<OutboxRow>({ org_id: text((r) => r.org), id: uuid((r) => r.id) })

/**
 * Locks, in one order, the pairs whose outbox a transaction is about to change: those that get new messages, and those of
 * outbox rows that end. A statement that only adds rows, or only ends rows, locks its own pairs in that order. A
 * transaction that adds rows and applies statuses needs this one first: it would come to the pairs in two turns, or from
 * the row of a message or of an early status, while a sender that holds the pair waits for that row. It is sent only where
 * there are `pairs`. A pair that does not exist yet is nobody else's, since its customer is locked.
 */
export function lockPairs(pairs: Pair[], ending: OutboxRow[]): Statement<void> {
  return over(PAIRS, pairs, {
    name: 'lock-pairs',
    text: `with pair as (
        select * from ${PAIRS.as('p')}
        union
        select o.org_id, o.customer_id, o.waba_phone_id from ${ROWS.as('r', { first: 4 })}
        join outbox o on o.org_id = r.org_id and o.id = r.id)
      select from pair p
      join outbox_pairs q on q.org_id = p.org_id and q.customer_id = p.customer_id and q.waba_phone_id = p.waba_phone_id
      order by q.org_id, q.customer_id, q.waba_phone_id for update of q`,
    values: ROWS.values(ending),
    read: nothing,
  })
}

/**
 * SQL: a common table expression that locks the pair of the outbox row `$2` of the org `$1`. Whatever changes the outbox
 * locks the pair first, then the row, then the message: a trigger needs the pair at the end of each change, and two
 * transactions that came to it in different ways would wait for each other.
 */
export const PAIR_OF_ROW = `pair as materialized (
        select from outbox o join outbox_pairs q on q.org_id = o.org_id and q.customer_id = o.customer_id
          and q.waba_phone_id = o.waba_phone_id
        where o.org_id = $1 and o.id = $2 for update of q)`

/** SQL: a condition that always holds, and that PostgreSQL can tell only when the rows of `pair` are locked. */
export const PAIR_IS_LOCKED = '(select count(*) from pair) >= 0'
