import type { OutboxRow } from '../db/schema/index.ts'
import { firstRow, type Statement } from '../db/statement.ts'

/**
 * One number may send one message in 6 s to one customer, on average (docs/meta.md#rates); Usher counts by the minute.
 */
const PAIR_PER_MINUTE = 10

/** Much longer than the deadline of a call of the Graph API: the sender of an older claim has died. */
const LEASE = `interval '60 seconds'`

type Claim = { attempts: number }

/**
 * Claims an outbox row just before its request leaves. From then on only Meta's answer or a status webhook ends the
 * send. Undefined when the row is not due, when the pair rate is used up, and when another sender has claimed it.
 */
export function claimSend({ org, id }: OutboxRow): Statement<Claim | undefined> {
  return {
    name: 'claim-send',
    text: `update outbox o set state = 'sending', attempts = o.attempts + 1, claimed_at = now(), due_at = now() + ${LEASE}
      where o.org_id = $1 and o.id = $2 and o.state = 'queued' and o.due_at <= now()
        and (select count(*) from outbox s where s.org_id = o.org_id and s.customer_id = o.customer_id
          and s.waba_phone_id = o.waba_phone_id and s.claimed_at > now() - interval '1 minute') < ${PAIR_PER_MINUTE}
      returning o.attempts`,
    values: [org, id],
    read: firstRow<Claim>,
  }
}
