import { v7 as uuidv7 } from 'uuid'
import { chooseNumber } from '../chatrooms/choose-number.ts'
import type { CustomerRoom } from '../chatrooms/read-rooms.ts'
import { ApiError } from '../errors.ts'
import type { Candidate } from './candidate.ts'
import type { Refusals, RoomWish } from './read-wishes.ts'

/** A line that wants a chatroom for its contact, whose customer is locked. */
export type RoomRequest = RoomWish & {
  candidate: Candidate
  contactId: string
  customerId: string
  displayName: string
  isExpired: boolean
  /** The chatroom that the contact has at its mapped number. */
  currentId: string | undefined
  mappedPhoneId: string | undefined
}

/** A chatroom to create. */
export type NewImportedRoom = RoomRequest & { id: string; phoneId: string; remoteId: string }

/** `roomIds`: of the chatrooms that the contacts have, or get. */
export type RoomPlan = { rooms: NewImportedRoom[]; roomIds: Map<Candidate, string> }

type Taken = Pick<CustomerRoom, 'id' | 'state' | 'contactId' | 'phoneId'>

/**
 * Decides about chatrooms as `createChatroom` does, line after line: each takes the chatrooms of those before it into
 * account. A chatroom that the contact has already is enough, also if the contact has expired. Adds to `refusals`.
 * @param taken the chatrooms of the customers, by customer
 */
export function planRooms(
  requests: RoomRequest[],
  taken: Map<string, Taken[]>,
  refusals: Refusals,
): RoomPlan {
  const plan: RoomPlan = { rooms: [], roomIds: new Map() }
  for (const request of requests) {
    const { candidate, customerId, currentId, isExpired } = request
    if (currentId !== undefined) plan.roomIds.set(candidate, currentId)
    else if (isExpired) refusals.set(candidate, new ApiError('CONTACT_IS_EXPIRED'))
    else {
      const room = chooseRoom(request, taken.get(customerId) ?? [])
      if (room instanceof ApiError) refusals.set(candidate, room)
      else {
        plan.rooms.push(room)
        plan.roomIds.set(candidate, room.id)
        taken.set(customerId, [...(taken.get(customerId) ?? []), { ...room, state: 'active' }])
      }
    }
  }
  return plan
}

function chooseRoom(request: RoomRequest, taken: Taken[]): NewImportedRoom | ApiError {
  const { contactId, mappedPhoneId, candidate } = request
  const numbers = request.numbers.toSorted(
    (a, b) => Number(b.phoneId === mappedPhoneId) - Number(a.phoneId === mappedPhoneId),
  )
  const failIfElsewhere = candidate.contact.chatroom?.fail_if_chatroom_exists_on_other_waba_phone ?? true
  const choice = chooseNumber(contactId, taken, numbers, failIfElsewhere)
  return choice instanceof ApiError ? choice : { ...request, ...choice, id: uuidv7() }
}
