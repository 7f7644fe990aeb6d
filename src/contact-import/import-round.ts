import { insertEvents } from '../audit/record-events.ts'
import { readStandingRooms } from '../chatrooms/standing-rooms.ts'
import { contactName } from '../contacts/present.ts'
import type { Db } from '../db/client.ts'
import { RetryError } from '../db/pg-errors.ts'
import type { Org } from '../db/schema/index.ts'
import { run, send } from '../db/statement.ts'
import { isExpired } from '../rules/lifecycle.ts'
import type { Candidate } from './candidate.ts'
import { lockSubjects, type Subject } from './lock-subjects.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { planRooms, type RoomPlan } from './plan-rooms.ts'
import { readContacts } from './read-contacts.ts'
import { readCurrentRooms } from './read-current-rooms.ts'
import { type Refusals, type RoomWish, readWishes } from './read-wishes.ts'
import { creationOf, insertContacts } from './write-contacts.ts'
import { writeRooms } from './write-rooms.ts'

/** The org that the contacts are for, the one who asks, and the time by which the contacts are created. */
export type ImportOf = { org: Org; actor: string; now: Date }

/** Imports lines of different `crm_id`s in a transaction, in the order of locks: names, customers, chatrooms. */
export async function importRound(
  tx: Db,
  round: Candidate[],
  of: ImportOf,
): Promise<Map<Candidate, Outcome>> {
  const { org, actor, now } = of
  const refusals: Refusals = new Map()
  const stored = await run(
    tx,
    readContacts(
      org.id,
      round.map(({ contact }) => contact.crm_id),
    ),
  )
  const wishes = await readWishes(tx, org, round, refusals)
  const able = round.filter((candidate) => !refusals.has(candidate))
  const subjects = await lockSubjects(tx, able, { orgId: org.id, stored, refusals })
  const { rooms, roomIds } = await decideRooms(tx, subjects, { ...of, wishes, refusals })
  const created = subjects
    .filter(({ candidate, stored }) => !stored && !refusals.has(candidate))
    .map((subject) => ({ ...subject, id: subject.contactId, orgId: org.id, createdAt: now }))
  const [inserted] = await send(tx, [
    insertContacts(created),
    insertEvents(created.map((contact) => creationOf(contact, actor))),
  ])
  if (inserted < created.length) throw new RetryError('a contact of an import was created meanwhile')
  await writeRooms(tx, rooms, of)
  const known = new Map(subjects.map((subject) => [subject.candidate, subject]))
  return new Map(
    round.map((one) => [one, outcomeOf(one, known.get(one), roomIds.get(one), refusals.get(one))]),
  )
}

type Deciding = ImportOf & { wishes: Map<Candidate, RoomWish>; refusals: Refusals }

async function decideRooms(
  tx: Db,
  subjects: Subject[],
  { org, now, wishes, refusals }: Deciding,
): Promise<RoomPlan> {
  const wishing = subjects.flatMap((subject) => {
    const wish = refusals.has(subject.candidate) ? undefined : wishes.get(subject.candidate)
    return wish ? [{ ...subject, ...wish }] : []
  })
  if (wishing.length === 0) return { rooms: [], roomIds: new Map() }
  const customerIds = [...new Set(wishing.map(({ customerId }) => customerId))]
  const taken = await readStandingRooms(tx, org, customerIds, now)
  const storedIds = wishing.flatMap(({ stored }) => stored?.id ?? [])
  const current = await run(tx, readCurrentRooms(org.id, storedIds))
  const requests = wishing.map(({ stored, ...subject }) => {
    const own = current.get(subject.contactId)
    const {
      crm_id: crmId,
      first_name: firstName = null,
      last_name: lastName = null,
    } = subject.candidate.contact
    return {
      ...subject,
      displayName: contactName(stored ?? { crmId, firstName, lastName }),
      isExpired: stored !== undefined && isExpired(stored, org.expiryDays, now),
      currentId: own?.chatroomId ?? undefined,
      mappedPhoneId: own?.mappedPhoneId,
    }
  })
  return planRooms(requests, taken, refusals)
}
