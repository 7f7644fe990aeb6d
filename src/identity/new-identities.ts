import type { AuditEvent } from '../audit/record-events.ts'
import { columns, int, text, timestamptz, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import type { NewId } from './lesson.ts'

const IDS = columns<NewId>({
  org_id: text((n) => n.orgId),
  customer_id: uuid((n) => n.customerId),
  waba_id: text((n) => n.wabaId),
  value: text((n) => n.value),
  since: timestamptz((n) => n.since),
  others: int((n) => n.others),
})

/**
 * The audit of known phones that write with another BSUID than the one that was seen at the same WABA, though Meta
 * announced no change: the phone may be another person's now (docs/rules.md#recycled-phones). An id that is older than the
 * customer's hold on the phone does not count, since a new phone brings a new id; the minute is for reports of one change
 * at slightly different times. An id of which no WABA is known was seen at the only one of its org. To be read before the
 * new ids are written.
 */
export function readNewIdentities(newIds: NewId[]): Statement<AuditEvent[]> {
  const ofKnown = newIds.filter(({ wasKnown }) => wasKnown)
  return over(IDS, ofKnown, {
    name: 'read-new-identities',
    text: `select n.org_id as "orgId", n.customer_id as "customerId", n.waba_id as "wabaId" from ${IDS.as('n')}
      where n.others > 0 or exists (
        select from customer_aliases a
        where a.org_id = n.org_id and a.customer_id = n.customer_id and a.kind = 'bsuid' and a.value <> n.value
          and (n.waba_id = any(a.waba_ids) or a.waba_ids is null
            and not exists (select from wabas w where w.org_id = n.org_id and w.id <> n.waba_id))
          and (n.since is null or a.since > n.since - interval '1 minute'))`,
    read: (rows: { orgId: string; customerId: string; wabaId: string }[]) => rows.map(newIdentity),
  })
}

function newIdentity({
  orgId,
  customerId,
  wabaId,
}: {
  orgId: string
  customerId: string
  wabaId: string
}): AuditEvent {
  return {
    orgId,
    kind: 'customer.new_identity',
    actor: 'identity',
    reason: 'the phone wrote with another BSUID than before; it may be another person',
    customerId,
    after: { waba_id: wabaId },
  }
}
