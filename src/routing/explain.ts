import { readRooms } from '../chatrooms/read-rooms.ts'
import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { findCustomer } from '../identity/find-customers.ts'
import { personOf } from '../identity/person.ts'
import { type Room, type RoomState, since } from '../rules/room.ts'
import { decide } from './decide.ts'
import type { Route } from './decision.ts'
import { readOwners } from './owners.ts'

/** Where a message would go, and the chatrooms among which that was decided, the preferred one first. */
export type Explanation = {
  decision: Route | null
  chatroom_id: string | null
  reason: string
  candidates: { chatroom_id: string; contact_id: string; state: RoomState; since: string }[]
}

type Question = {
  orgId: string
  /** A present or former `phone_number_id` of the number. */
  remotePhoneId: string
  /** The phone (E.164), or Meta's business-scoped id, of the sender. */
  sender: { phone?: string | undefined; userId?: string | undefined }
  now: Date
}

/**
 * The route that a text from this sender to this number would take now, and the reason: the decision of routing itself,
 * without its effects.
 * @throws ApiError WABA_PHONE_NOT_FOUND
 */
export async function explainRoute(
  db: Db,
  { orgId, remotePhoneId, sender, now }: Question,
): Promise<Explanation> {
  const owner = (await run(db, readOwners([remotePhoneId], []))).phones.get(remotePhoneId)
  if (owner?.orgId !== orgId) throw new ApiError('WABA_PHONE_NOT_FOUND')
  const { phoneId } = owner
  const { phone, userId } = sender
  const names = { waId: phone?.slice(1), userId, parentUserId: undefined, profileName: undefined }
  const customerId = await findCustomer(db, personOf(orgId, names))
  const pairs = customerId ? [{ orgId, customerId, phoneId }] : []
  const [rooms = []] = (await run(db, readRooms(pairs))).values()
  const text = { wamid: '', type: 'text', nature: 'customer', sentAt: now } as const
  const { route, roomId, reason, candidates } = decide(text, rooms, owner.settings, now)
  return { decision: route, chatroom_id: roomId, reason, candidates: candidates.map(toCandidate) }
}

function toCandidate(room: Room): Explanation['candidates'][number] {
  return {
    chatroom_id: room.id,
    contact_id: room.contactId,
    state: room.state,
    since: since(room).toISOString(),
  }
}
