import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { Org } from '../db/schema/index.ts'
import { send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { chooseNumber } from './choose-number.ts'
import { currentChatroom } from './current-chatroom.ts'
import { deactivateRooms } from './deactivate-rooms.ts'
import { findNumbers } from './find-numbers.ts'
import { type LockedContact, lockContactRooms } from './lock-contact-rooms.ts'
import { refusingSecondActive } from './one-active.ts'
import { openChatroom } from './open-chatroom.ts'
import { findAssignee, type Wish } from './pick-assignee.ts'

export type Creation = {
  org: Org
  contactId: string
  displayName?: string | undefined
  wabaId?: string | undefined
  remotePhoneId?: string | undefined
  /** True: the contact's chatrooms are deactivated and a new one is created. */
  forceDeactivate: boolean
  /** True: an active chatroom of the customer at any number of the org refuses the new one. */
  failIfElsewhere: boolean
  assign: Wish
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * Gives the contact's chatroom as it is or, if it has none, creates one: at the number named, else at the first number
 * of the org that is free for this customer (operations `createChatroomV3`, `createChatroomV2`).
 * @throws ApiError CONTACT_NOT_FOUND, WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND, NO_WABA_PHONE_AVAILABLE,
 * USER_NOT_FOUND, GROUP_NOT_FOUND, DELEGATE_NOT_FOUND, CONTACT_IS_EXPIRED, ACTIVE_CHATROOM_EXISTS
 */
export async function createChatroom(
  db: Db,
  creation: Creation,
): Promise<{ chatroomId: string; isExisting: boolean }> {
  const { org, contactId, now } = creation
  return refusingSecondActive('ACTIVE_CHATROOM_EXISTS', () =>
    inRetriedTransaction(db, async (tx) => {
      const locked = await lockContactRooms(tx, org, contactId, now)
      const numbers = await findNumbers(tx, org.id, creation, locked.mappedPhoneId)
      const assignee = await findAssignee(tx, org, creation.assign)
      if (locked.isExpired) throw new ApiError('CONTACT_IS_EXPIRED')
      const existing = await currentChatroom(tx, org.id, contactId)
      if (existing && !creation.forceDeactivate) return { chatroomId: existing, isExisting: true }
      const choice = chooseNumber(
        contactId,
        locked.rooms,
        numbers.map((phoneId) => ({ phoneId })),
        creation.failIfElsewhere,
      )
      if (choice instanceof ApiError) throw choice
      await deactivateOwn(tx, locked, creation)
      const chatroomId = await openChatroom(tx, locked.contact, { ...creation, ...choice, assignee })
      return { chatroomId, isExisting: false }
    }),
  )
}

async function deactivateOwn(tx: Db, { contact, rooms }: LockedContact, creation: Creation): Promise<void> {
  const { org, actor, now } = creation
  const own = rooms.filter((r) => r.state === 'active' && r.contactId === contact.id)
  const who = { orgId: org.id, customerId: contact.customerId, actor, now }
  await send(tx, deactivateRooms({ ...who, rooms: own, reason: 'FORCE_DEACTIVATE' }))
}
