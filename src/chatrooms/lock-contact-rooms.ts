import { and, eq } from 'drizzle-orm'
import type { Contact } from '../contacts/present.ts'
import type { Db } from '../db/client.ts'
import { contacts, contactWabas } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { isExpired } from '../rules/lifecycle.ts'
import { lockRooms } from './lock-rooms.ts'
import type { CustomerRoom } from './read-rooms.ts'
import type { LifecycleOrg } from './standing-rooms.ts'

/** A contact whose customer is locked. */
export type LockedContact = {
  contact: Contact
  /** The number of its WABA mapping. */
  mappedPhoneId: string | null
  isExpired: boolean
  /** All chatrooms of its customer, also those of other contacts; overdue expiry and inactivity are applied. */
  rooms: CustomerRoom[]
}

/**
 * Locks the contact's customer until the transaction ends, and reads the contact and the customer's chatrooms.
 * @throws ApiError CONTACT_NOT_FOUND
 */
export async function lockContactRooms(
  tx: Db,
  org: LifecycleOrg,
  contactId: string,
  now: Date,
): Promise<LockedContact> {
  const { customerId } = (await readContact(tx, org.id, contactId)).contact
  const rooms = await lockRooms(tx, org, customerId, now)
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
