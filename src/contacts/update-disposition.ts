import { and, eq } from 'drizzle-orm'
import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { contacts } from '../db/schema/index.ts'
import { lockLivingContact } from './lock-living-contact.ts'
import type { Contact } from './present.ts'
import type { UpdateDispositionReq } from './schemas.ts'

export type DispositionUpdate = {
  org: { id: string; expiryDays: number | null }
  contactId: string
  changes: UpdateDispositionReq
  actor: string
  now: Date
}

/**
 * Writes the stage of the sale (operation `updateContactDispositionV2`). Fields that are not given stay;
 * `additionalFields` are replaced as a whole.
 * @throws ApiError CONTACT_NOT_FOUND or EXPIRED_CONTACT
 */
export async function updateDisposition(db: Db, update: DispositionUpdate): Promise<void> {
  const { org, contactId, changes, actor, now } = update
  const { stage, disposition, additionalFields } = changes
  await inRetriedTransaction(db, async (tx) => {
    const before = await lockLivingContact(tx, org, contactId, now)
    const [after] = await tx
      .update(contacts)
      .set({ stage, disposition, additionalFields })
      .where(and(eq(contacts.orgId, org.id), eq(contacts.id, contactId)))
      .returning()
    if (!after) throw new Error('a locked contact is gone')
    await recordEvents(tx, [
      {
        orgId: org.id,
        kind: 'contact.disposition_updated',
        actor,
        customerId: after.customerId,
        contactId,
        before: dispositionOf(before),
        after: dispositionOf(after),
      },
    ])
  })
}

function dispositionOf({ stage, disposition, additionalFields }: Contact) {
  return { stage, disposition, additional_fields: additionalFields }
}
