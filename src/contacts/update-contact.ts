import { isDeepStrictEqual } from 'node:util'
import { and, eq } from 'drizzle-orm'
import { type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { violatedConstraint } from '../db/pg-errors.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { contacts } from '../db/schema/index.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockLivingContact } from './lock-living-contact.ts'
import { type Contact, contactName } from './present.ts'
import type { UpdateContactReq } from './schemas.ts'

export type ContactUpdate = {
  org: { id: string; expiryDays: number | null }
  contactId: string
  changes: UpdateContactReq
  actor: string
  now: Date
}

/**
 * Changes a contact's crm_id and names, and renames all its chatrooms accordingly, whatever their names were
 * (operation `updateContact`). A name that is not given stays.
 * @throws ApiError CONTACT_NOT_FOUND, EXPIRED_CONTACT, or CRM_ID_IS_TAKEN when another contact of the org has it
 */
export async function updateContact(db: Db, update: ContactUpdate): Promise<Contact> {
  const { org, contactId, changes, actor, now } = update
  return inRetriedTransaction(db, async (tx) => {
    const before = await lockLivingContact(tx, org, contactId, now)
    const after = await writeContact(tx, before, changes)
    const renamed = await run(tx, renameChatrooms(after))
    const who = { orgId: org.id, actor, customerId: after.customerId, contactId }
    await recordEvents(tx, [
      ...updateEvents(who, before, after),
      ...renamed.map((room) => renameEvent(who, room, contactName(after))),
    ])
    return after
  })
}

async function writeContact(tx: Db, contact: Contact, changes: UpdateContactReq): Promise<Contact> {
  const { crm_id: crmId, first_name: firstName, last_name: lastName } = changes
  try {
    const [written] = await tx
      .update(contacts)
      .set({ crmId, firstName, lastName })
      .where(and(eq(contacts.orgId, contact.orgId), eq(contacts.id, contact.id)))
      .returning()
    if (!written) throw new Error('a locked contact is gone')
    return written
  } catch (error) {
    if (violatedConstraint(error) === 'contacts_crm_id') throw new ApiError('CRM_ID_IS_TAKEN')
    throw error
  }
}

type Renamed = { id: string; was: string }

function renameChatrooms(contact: Contact): Statement<Renamed[]> {
  return {
    name: 'rename-chatrooms-of-contact',
    text: `with named as (
        select id, display_name as was from chatrooms
        where org_id = $1 and contact_id = $2 and display_name <> $3)
      update chatrooms r set display_name = $3 from named
      where r.org_id = $1 and r.id = named.id
      returning r.id, named.was`,
    values: [contact.orgId, contact.id, contactName(contact)],
    read: allRows<Renamed>,
  }
}

type Who = Pick<AuditEvent, 'orgId' | 'actor' | 'customerId' | 'contactId'>

/** None when the update changed no name. */
function updateEvents(who: Who, before: Contact, after: Contact): AuditEvent[] {
  const [was, is] = [namesOf(before), namesOf(after)]
  return isDeepStrictEqual(was, is) ? [] : [{ ...who, kind: 'contact.updated', before: was, after: is }]
}

function renameEvent(who: Who, { id, was }: Renamed, name: string): AuditEvent {
  return {
    ...who,
    kind: 'chatroom.renamed',
    reason: 'the contact was updated',
    chatroomId: id,
    before: { display_name: was },
    after: { display_name: name },
  }
}

function namesOf({ crmId, firstName, lastName }: Contact) {
  return { crm_id: crmId, first_name: firstName, last_name: lastName }
}
