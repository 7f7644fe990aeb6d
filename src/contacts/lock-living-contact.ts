import { and, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contacts } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { isExpired } from '../rules/lifecycle.ts'
import type { Contact } from './present.ts'

/**
 * Locks the contact's customer until the transaction ends and gives the contact, which may then be changed.
 * @throws ApiError CONTACT_NOT_FOUND, or EXPIRED_CONTACT because an expired contact must not change
 */
export async function lockLivingContact(
  tx: Db,
  org: { id: string; expiryDays: number | null },
  contactId: string,
  now: Date,
): Promise<Contact> {
  const { customerId } = await readContact(tx, org.id, contactId)
  await run(tx, lockCustomers([{ orgId: org.id, id: customerId }]))
  const contact = await readContact(tx, org.id, contactId)
  if (isExpired(contact, org.expiryDays, now)) throw new ApiError('EXPIRED_CONTACT')
  return contact
}

async function readContact(tx: Db, orgId: string, id: string): Promise<Contact> {
  const [contact] = await tx
    .select()
    .from(contacts)
    .where(and(eq(contacts.orgId, orgId), eq(contacts.id, id)))
  if (!contact) throw new ApiError('CONTACT_NOT_FOUND')
  return contact
}
