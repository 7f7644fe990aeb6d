import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contacts } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { isPossiblePhone, toLookupPhone } from '../identity/e164.ts'
import { findCustomerEver } from '../identity/find-customers.ts'
import { personOfPhone } from '../identity/person.ts'
import type { Contact } from './present.ts'

/**
 * All contacts of the customer with this phone number, in any of its spellings, oldest first; none when no customer has
 * it (operation `getContactByPhoneV2`). A number that is known only from messages, as a `wa_id`, counts too.
 * @throws ApiError INVALID_PHONE_NUMBER unless it is written as `+` and digits, and is a possible number or known
 */
export async function contactsByPhone(db: Db, orgId: string, phone: string): Promise<Contact[]> {
  if (toLookupPhone(phone) !== phone) throw new ApiError('INVALID_PHONE_NUMBER')
  const customerId = await findCustomerEver(db, personOfPhone(orgId, phone))
  if (!customerId && !isPossiblePhone(phone)) throw new ApiError('INVALID_PHONE_NUMBER')
  if (!customerId) return []
  return db
    .select()
    .from(contacts)
    .where(and(eq(contacts.orgId, orgId), eq(contacts.customerId, customerId)))
    .orderBy(asc(contacts.createdAt), asc(contacts.id))
}
