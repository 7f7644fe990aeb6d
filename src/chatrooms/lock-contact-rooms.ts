import { and, eq } from 'drizzle-orm'
import type { Contact } from '../contacts/present.ts'
import type { Db } from '../db/client.ts'
import { contacts, contactWabas } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { isExpired } from '../rules/lifecycle.ts'
import { type CustomerRoom, type LifecycleOrg, settleOverdueRooms } from './apply-overdue.ts'

/** A contact whose customer is locked. */
export type LockedContact = {
  contact: Contact
  /** The number of its WABA mapping. */
  mappedPhoneId: string | null
  isExpired: boolean
  /** All chatrooms of its customer, those of other contacts too, overdue expiry and inactivity done. */
  rooms: CustomerRoom[]
}

/**
 * Locks the contact's customer until the transaction ends and reads what is decided upon.
 * @throws ApiError CONTACT_NOT_FOUND
 */
export async function lockContactRooms(
  tx: Db,
  org: LifecycleOrg,
  contactId: string,
  now: Date,
): Promise<LockedContact> {
  const { customerId } = (await readContact(tx, org.id, contactId)).contact
  await run(tx, lockCustomers([{ orgId: org.id, id: customerId }]))
  const rooms = await settleOverdueRooms(tx, org, customerId, now)
  const row = await readContact(tx, org.id, contactId)
  return { ...row, isExpired: isExpired(row.contact, org.expiryDays, now), rooms }
}

async function readContact(tx: Db, orgId: string, id: string) {
  const [row] = await tx
    .select({ contact: contacts, mappedPhoneId: contactWabas.wabaPhoneId })
    .from(contacts)
    .leftJoin(
      contactWabas,
      and(eq(contactWabas.orgId, contacts.orgId), eq(contactWabas.contactId, contacts.id)),
    )
    .where(and(eq(contacts.orgId, orgId), eq(contacts.id, id)))
  if (!row) throw new ApiError('CONTACT_NOT_FOUND')
  return row
}
