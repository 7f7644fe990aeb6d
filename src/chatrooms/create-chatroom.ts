import { type Db, inTransaction } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import type { Org } from '../orgs/settings.ts'
import { currentChatroom } from './current-chatroom.ts'
import { deactivateRooms } from './deactivate-rooms.ts'
import { findNumbers } from './find-numbers.ts'
import { type LockedContact, lockContact } from './lock-contact.ts'
import { refusingSecondActive } from './one-active.ts'
import { openChatroom } from './open-chatroom.ts'
import { findAssignee, type Wish } from './pick-assignee.ts'

type Request = {
  org: Org
  contactId: string
  displayName?: string | undefined
  wabaId?: string | undefined
  phoneId?: string | undefined
  /** True: the contact's chatrooms are deactivated and a new one is made. */
  forceDeactivate: boolean
  /** True: an active chatroom of the customer at whichever number of the org refuses the new one. */
  failIfElsewhere: boolean
  assign: Wish
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * The contact's chatroom: the one it has, as it is, else a new one at the number named, or at the first of the
 * org's that is free for this customer (spec: createChatroomV3, createChatroomV2).
 * @throws ApiError CONTACT_NOT_FOUND, WABA_NOT_FOUND, WABA_PHONE_NOT_FOUND, NO_WABA_PHONE_AVAILABLE,
 * USER_NOT_FOUND, GROUP_NOT_FOUND, DELEGATE_NOT_FOUND, CONTACT_IS_EXPIRED, ACTIVE_CHATROOM_EXISTS
 */
export async function createChatroom(
  db: Db,
  request: Request,
): Promise<{ chatroomId: string; isExisting: boolean }> {
  const { org, contactId, now } = request
  return refusingSecondActive('ACTIVE_CHATROOM_EXISTS', () =>
    inTransaction(db, async (tx) => {
      const contact = await lockContact(tx, org, contactId, now)
      const numbers = await findNumbers(tx, org.id, request, contact.phoneId)
      const assignee = await findAssignee(tx, org, request.assign)
      if (contact.isExpired) throw new ApiError('CONTACT_IS_EXPIRED')
      const existing = await currentChatroom(tx, org.id, contactId)
      if (existing && !request.forceDeactivate) return { chatroomId: existing, isExisting: true }
      const phoneId = chooseNumber(contact, numbers, request.failIfElsewhere)
      await deactivateOwn(tx, contact, request)
      const chatroomId = await openChatroom(tx, contact, { ...request, phoneId, assignee })
      return { chatroomId, isExisting: false }
    }),
  )
}

/** The first number at which no other contact of the same customer has the active chatroom. */
function chooseNumber(contact: LockedContact, numbers: string[], failIfElsewhere: boolean): string {
  const rivals = contact.rooms.filter((r) => r.state === 'active' && r.contactId !== contact.id)
  const free = numbers.find((number) => rivals.every((r) => r.phoneId !== number))
  const rival = rivals.find((r) => r.phoneId === numbers[0]) ?? rivals[0]
  if (numbers.length === 0) throw new ApiError('NO_WABA_PHONE_AVAILABLE')
  if (free !== undefined && !(rival && failIfElsewhere)) return free
  throw new ApiError('ACTIVE_CHATROOM_EXISTS', undefined, { chatroom_id: rival?.id })
}

async function deactivateOwn(tx: Db, contact: LockedContact, { org, actor, now }: Request): Promise<void> {
  await deactivateRooms(tx, {
    orgId: org.id,
    customerId: contact.customerId,
    rooms: contact.rooms.filter((r) => r.state === 'active' && r.contactId === contact.id),
    reason: 'FORCE_DEACTIVATE',
    actor,
    now,
  })
}
