import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { Org } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { currentChatroom } from './current-chatroom.ts'
import { findNumbers } from './find-numbers.ts'
import { type LockedContact, lockContactRooms } from './lock-contact-rooms.ts'
import { refusingSecondActive } from './one-active.ts'
import { openChatroom } from './open-chatroom.ts'
import { findAssignee, type Wish } from './pick-assignee.ts'
import { reassignChatroom } from './reassign-chatroom.ts'

type Request = {
  org: Org
  contactId: string
  wabaId?: string | undefined
  remotePhoneId?: string | undefined
  assign: Wish
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * Gives a contact's chatroom to a user as `reassignChatroom` does (operation `assignChatroom`). A contact without a
 * chatroom gets one, at the number named, else at the first number that is free for its customer.
 * @throws ApiError CONTACT_NOT_FOUND (also for an expired contact without a chatroom), WABA_NOT_FOUND,
 * WABA_PHONE_NOT_FOUND, WABA_MAPPING_NOT_FOUND (its chatroom is at another number), NO_WABA_PHONE_AVAILABLE,
 * USER_NOT_FOUND, GROUP_NOT_FOUND
 */
export async function assignContact(db: Db, request: Request): Promise<void> {
  const { org, contactId, now } = request
  await refusingSecondActive('NO_WABA_PHONE_AVAILABLE', () =>
    inRetriedTransaction(db, async (tx) => {
      const locked = await lockContactRooms(tx, org, contactId, now)
      const { mappedPhoneId } = locked
      const numbers = await findNumbers(tx, org.id, request, mappedPhoneId)
      const chatroomId = await currentChatroom(tx, org.id, contactId)
      if (!chatroomId) return openFor(tx, locked, numbers, request)
      if (!numbers.some((number) => number === mappedPhoneId)) throw new ApiError('WABA_MAPPING_NOT_FOUND')
      await reassignChatroom(tx, { ...request, chatroomId })
    }),
  )
}

async function openFor(tx: Db, locked: LockedContact, numbers: string[], request: Request): Promise<void> {
  if (locked.isExpired)
    throw new ApiError('CONTACT_NOT_FOUND', 'The contact is expired, and expired is final.')
  const taken = locked.rooms.filter((r) => r.state === 'active').map((r) => r.phoneId)
  const phoneId = numbers.find((number) => !taken.includes(number))
  if (!phoneId) throw new ApiError('NO_WABA_PHONE_AVAILABLE')
  const assignee = await findAssignee(tx, request.org, request.assign)
  await openChatroom(tx, locked.contact, { ...request, phoneId, assignee })
}
