import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { personOfPhone } from '../identity/person.ts'
import { lockAndResolve } from '../identity/resolve-customers.ts'
import type { Candidate } from './candidate.ts'
import { readAffiliates } from './read-affiliates.ts'
import type { StoredContact } from './read-contacts.ts'
import type { Refusals } from './read-wishes.ts'

/** The contact of a line: the one that has its `crm_id`, or one that may be created. Its customer is locked. */
export type Subject = {
  candidate: Candidate
  contactId: string
  customerId: string
  stored: StoredContact | undefined
}

type Known = { orgId: string; stored: Map<string, StoredContact>; refusals: Refusals }

/**
 * Finds the contacts of the lines, or who they are of, and locks these customers until the transaction ends. Whoever has
 * the phone of a new contact becomes a customer. Lines for affiliates are added to `refusals`.
 */
export async function lockSubjects(
  tx: Db,
  candidates: Candidate[],
  { orgId, stored, refusals }: Known,
): Promise<Subject[]> {
  const storedOf = ({ contact }: Candidate) => stored.get(contact.crm_id)
  const fresh = candidates.filter((candidate) => !storedOf(candidate))
  const along = candidates.flatMap((candidate) =>
    candidate.contact.chatroom ? (storedOf(candidate) ?? []) : [],
  )
  const people = fresh.map(({ phone }) => personOfPhone(orgId, phone))
  const holders = along.map(({ customerId: id }) => ({ orgId, id }))
  const customerIds = await lockAndResolve(tx, people, holders)
  const owners = new Map(fresh.map((candidate, i) => [candidate, customerIds[i] ?? '']))
  const affiliates = await run(tx, readAffiliates(orgId, [...new Set(owners.values())]))
  return candidates.flatMap((candidate): Subject[] => {
    const own = storedOf(candidate)
    if (own) return [{ candidate, contactId: own.id, customerId: own.customerId, stored: own }]
    const customerId = owners.get(candidate) ?? ''
    if (affiliates.has(customerId)) refusals.set(candidate, new ApiError('AFFILIATE_PHONE'))
    return [{ candidate, contactId: uuidv7(), customerId, stored: undefined }]
  })
}
