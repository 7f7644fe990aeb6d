import { bytea, columns, json, text, timestamptz } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import type { AccountEvent } from '../webhook/items.ts'

export type OrgAccountEvent = AccountEvent & { orgId: string }

const EVENTS = columns<OrgAccountEvent>({
  org_id: text((e) => e.orgId),
  digest: bytea((e) => e.digest),
  waba_id: text((e) => e.wabaId),
  field: text((e) => e.field),
  received_at: timestamptz((e) => e.receivedAt),
  payload: json((e) => e.payload),
})

const KEPT = `select org_id, 'account.event' as type, json_build_object('digest', encode(digest, 'hex')) as data from kept`

/**
 * Keeps webhook fields that are no messages, each once: the digest recognises a redelivery. They are inserted in the order of
 * their key, since a batch waits for another one that inserts the same.
 */
export function keepAccountEvents(events: OrgAccountEvent[]): Statement<void> {
  return over(EVENTS, events, {
    name: 'keep-account-events',
    text: `with kept as (
        insert into account_events (${EVENTS.names}) select ${EVENTS.names} from ${EVENTS.as('e')}
        order by org_id, digest on conflict do nothing returning org_id, digest)
      ${logSql(`(${KEPT}) as news`, 'org_id, type, data')}`,
    read: nothing,
  })
}
