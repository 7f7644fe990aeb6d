import { and, asc, eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { contacts, customerAliases } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { toE164 } from '../identity/e164.ts'
import type { Contact } from './present.ts'

/**
 * All contacts of the customer who has this phone number, oldest first; none when nobody has it (spec:
 * getContactByPhoneV2). A number known from messages alone, as a `wa_id`, counts too.
 * @throws ApiError INVALID_PHONE_NUMBER unless it is written exactly as E.164: `+` and digits
 */
export async function contactsByPhone(db: Db, orgId: string, phone: string): Promise<Contact[]> {
  if (toE164(phone) !== phone) throw new ApiError('INVALID_PHONE_NUMBER')
  const owner = (kind: 'phone' | 'wa_id', value: string) =>
    db
      .select({ id: customerAliases.customerId })
      .from(customerAliases)
      .where(
        and(
          eq(customerAliases.orgId, orgId),
          eq(customerAliases.kind, kind),
          eq(customerAliases.value, value),
        ),
      )
  return db
    .select()
    .from(contacts)
    .where(
      and(
        eq(contacts.orgId, orgId),
        sql`${contacts.customerId} = coalesce((${owner('phone', phone)}), (${owner('wa_id', phone.slice(1))}))`,
      ),
    )
    .orderBy(asc(contacts.createdAt), asc(contacts.id))
}
