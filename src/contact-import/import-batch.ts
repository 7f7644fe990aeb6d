import { v7 as uuidv7 } from 'uuid'
import { insertEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { RetryError } from '../db/pg-errors.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockPeople } from '../identity/lock-people.ts'
import { personOfPhone } from '../identity/person.ts'
import { resolvePeople } from '../identity/resolve-customers.ts'
import type { Candidate } from './candidate.ts'
import { existing, type Outcome, refused } from './outcome.ts'
import { readAffiliates } from './read-affiliates.ts'
import { readContacts } from './read-contacts.ts'
import { type CreatedContact, creationOf, insertContacts } from './write-contacts.ts'

/** The org that the contacts are for, the one who asks, and the time by which the contacts are created. */
export type ImportOf = { orgId: string; actor: string; now: Date }

/**
 * Imports the contacts of some lines, with a fixed number of statements in one transaction, and gives the outcomes in their
 * order. A line whose `crm_id` an earlier line has takes its turn in a transaction of its own, and finds the contact of
 * that line, or creates it, if that line was refused.
 */
export async function importBatch(db: Db, candidates: Candidate[], of: ImportOf): Promise<Outcome[]> {
  const outcomes = new Map<Candidate, Outcome>()
  for (let rest = candidates; rest.length > 0; ) {
    const round = firstOfEach(rest)
    const done = await inRetriedTransaction(db, (tx) => importRound(tx, round, of))
    for (const [candidate, outcome] of done) outcomes.set(candidate, outcome)
    rest = rest.filter((candidate) => !outcomes.has(candidate))
  }
  return candidates.flatMap((candidate) => outcomes.get(candidate) ?? [])
}

function firstOfEach(candidates: Candidate[]): Candidate[] {
  const first = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { crm_id } = candidate.contact
    if (!first.has(crm_id)) first.set(crm_id, candidate)
  }
  return [...first.values()]
}

/** Imports lines of different `crm_id`s, in the order of locks: names, customers. */
async function importRound(tx: Db, round: Candidate[], of: ImportOf): Promise<Map<Candidate, Outcome>> {
  const { orgId, actor } = of
  const crmIds = round.map(({ contact }) => contact.crm_id)
  const stored = await run(tx, readContacts(orgId, crmIds))
  const fresh = round.filter(({ contact }) => !stored.has(contact.crm_id))
  const customerIds = await lockOwners(tx, fresh, orgId)
  const affiliates = await run(tx, readAffiliates(orgId, [...customerIds.values()]))
  const created = fresh.flatMap((candidate) => create(candidate, customerIds.get(candidate), affiliates, of))
  const [inserted] = await send(tx, [
    insertContacts(created),
    insertEvents(created.map((contact) => creationOf(contact, actor))),
  ])
  if (inserted < created.length) throw new RetryError('a contact of an import was created meanwhile')
  const byCandidate = new Map(created.map((contact) => [contact.candidate, contact.id]))
  return new Map(
    round.map((candidate) => {
      const known = stored.get(candidate.contact.crm_id)
      if (known) return [candidate, existing(candidate, known)]
      const contactId = byCandidate.get(candidate)
      if (contactId === undefined) return [candidate, refused(candidate, new ApiError('AFFILIATE_PHONE'))]
      return [candidate, { status: 'created', candidate, contactId }]
    }),
  )
}

/** Finds, or makes, the customers who have the phones, and locks them until the transaction ends. */
async function lockOwners(tx: Db, candidates: Candidate[], orgId: string): Promise<Map<Candidate, string>> {
  const people = candidates.map(({ phone }) => personOfPhone(orgId, phone))
  const known = await lockPeople(tx, people)
  const { customerIds } = await resolvePeople(tx, people, { known })
  return new Map(candidates.map((candidate, i) => [candidate, customerIds[i] ?? '']))
}

function create(
  candidate: Candidate,
  customerId: string | undefined,
  affiliates: Set<string>,
  { orgId, now }: ImportOf,
): CreatedContact[] {
  if (customerId === undefined || affiliates.has(customerId)) return []
  return [{ orgId, id: uuidv7(), customerId, candidate, createdAt: now }]
}
