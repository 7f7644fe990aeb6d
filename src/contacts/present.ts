import type { z } from 'zod'
import type { contacts } from '../db/schema/index.ts'
import type { CustomerView } from '../identity/read-customer.ts'
import { expiryOf, isExpired } from '../rules/lifecycle.ts'
import type { ContactRespDto, CustomerDto, GetContactRespDto } from './schemas.ts'

export type Contact = typeof contacts.$inferSelect

/** The name of a contact, and the first name of its chatroom: CRM id, first name and last name. */
export function contactName({
  crmId,
  firstName,
  lastName,
}: Pick<Contact, 'crmId' | 'firstName' | 'lastName'>) {
  return [crmId, firstName, lastName].filter(Boolean).join(' ')
}

/** The contact as ContactRespDto; unknown names are left out. */
export function toContactResp(
  contact: Contact,
  expiryDays: number | null,
  now: Date,
): z.input<typeof ContactRespDto> {
  const { governanceLevelId: level } = contact
  return {
    ...common(contact, expiryDays, now),
    governance_level: level === null ? undefined : { id: level, name: level },
  }
}

/** The contact as GetContactRespDto. */
export function toGetContactResp(
  contact: Contact,
  expiryDays: number | null,
  now: Date,
): z.input<typeof GetContactRespDto> {
  return {
    ...common(contact, expiryDays, now),
    expiry_ts: expiryOf(contact, expiryDays)?.toISOString(),
  }
}

function common(contact: Contact, expiryDays: number | null, now: Date) {
  return {
    id: contact.id,
    crm_id: contact.crmId,
    opt_in_date: contact.optInDate?.toISOString(),
    create_date: contact.createdAt.toISOString(),
    first_name: contact.firstName ?? undefined,
    last_name: contact.lastName ?? undefined,
    is_expired: isExpired(contact, expiryDays, now),
  }
}

/** A customer as CustomerDto. */
export function toCustomer(
  view: CustomerView,
  expiryDays: number | null,
  now: Date,
): z.input<typeof CustomerDto> {
  return {
    customer_id: view.customer.id,
    profile_name: view.customer.profileName,
    opted_out_at: view.customer.optedOutAt?.toISOString() ?? null,
    aliases: view.aliases.map(({ kind, value, createdAt, givenUpAt }) => ({
      kind,
      value,
      since: createdAt.toISOString(),
      ...(givenUpAt && { given_up_at: givenUpAt.toISOString() }),
    })),
    contacts: view.contacts.map((contact) => toGetContactResp(contact, expiryDays, now)),
  }
}
