import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { firstRow, nothing, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { lockOrg } from './lock-org.ts'

/**
 * Ends that a contact is an affiliate. The contact and its chatroom stay, as those of an ordinary contact, so the phone may
 * have further contacts.
 * @throws ApiError CONTACT_NOT_FOUND
 */
export async function removeAffiliate(
  db: Db,
  { orgId, id: crmId, actor }: { orgId: string; id: string; actor: string },
): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    const [, contact] = await send(tx, [lockOrg(orgId), readAffiliate(orgId, crmId)])
    if (!contact)
      throw new ApiError('CONTACT_NOT_FOUND', 'There is no affiliate with this crm_id in this org.')
    const { id: contactId, customerId } = contact
    await send(tx, [
      lockCustomers([{ orgId, id: customerId }]),
      {
        text: 'update contacts set is_affiliate = false where org_id = $1 and id = $2',
        values: [orgId, contactId],
        read: nothing,
      },
    ])
    const before = { crm_id: crmId }
    await recordEvents(tx, [
      { orgId, kind: 'affiliate.removed', actor, reason: ASKED_FOR, customerId, contactId, before },
    ])
  })
}

type Contact = { id: string; customerId: string }

function readAffiliate(orgId: string, crmId: string): Statement<Contact | undefined> {
  return {
    text: `select id, customer_id as "customerId" from contacts
      where org_id = $1 and crm_id = $2 and is_affiliate`,
    values: [orgId, crmId],
    read: firstRow<Contact>,
  }
}
