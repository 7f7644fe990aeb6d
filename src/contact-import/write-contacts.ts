import type { AuditEvent } from '../audit/record-events.ts'
import { bool, columns, text, timestamptz, uuid } from '../db/columns.ts'
import { over, rowCount, type Statement } from '../db/statement.ts'
import type { Candidate } from './candidate.ts'

/** A contact to create; its customer is locked. */
export type CreatedContact = {
  orgId: string
  id: string
  customerId: string
  candidate: Candidate
  createdAt: Date
}

const CONTACTS = columns<CreatedContact>({
  org_id: text((c) => c.orgId),
  id: uuid((c) => c.id),
  customer_id: uuid((c) => c.customerId),
  crm_id: text((c) => c.candidate.contact.crm_id),
  phone: text((c) => c.candidate.phone),
  first_name: text((c) => c.candidate.contact.first_name),
  last_name: text((c) => c.candidate.contact.last_name),
  opt_in_date: timestamptz((c) => c.candidate.contact.opt_in_date),
  governance_level_id: text((c) => c.candidate.contact.governance_level_id),
  is_inbound: bool((c) => c.candidate.contact.is_inbound ?? false),
  source: text((c) => c.candidate.contact.source),
  created_at: timestamptz((c) => c.createdAt),
})

/**
 * Inserts contacts, in the order of their `crm_id`s, so that two imports of the same contacts wait for each other.
 * @returns how many were inserted: fewer when somebody else has created a contact with one of the `crm_id`s meanwhile
 */
export function insertContacts(contacts: CreatedContact[]): Statement<number> {
  return over(CONTACTS, contacts, {
    name: 'insert-imported-contacts',
    text: `insert into contacts (${CONTACTS.names}) select ${CONTACTS.names} from ${CONTACTS.as('n')}
      order by crm_id collate "C" on conflict (org_id, crm_id) do nothing`,
    read: rowCount,
  })
}

/** The audit of a contact that an import created. */
export function creationOf({ orgId, id, customerId, candidate }: CreatedContact, actor: string): AuditEvent {
  const { phone_number: _, chatroom: __, ...after } = candidate.contact
  return { orgId, kind: 'contact.created', actor, customerId, contactId: id, after }
}
