import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { Org } from '../db/schema/index.ts'
import { send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { assignUser } from './assign-user.ts'
import { lockChatroom } from './lock-chatroom.ts'
import { findAssignee, pickUser, type Wish } from './pick-assignee.ts'

type Request = {
  org: Org
  chatroomId: string
  assign: Wish
  onHandover: boolean
  actor: string
  now: Date
}

/**
 * Takes a chatroom from all its users and gives it to another one, at once or when the customer writes next
 * (operations `reassignChatroomV3`, `reassignChatroom`). Its state does not matter and does not change.
 * @throws ApiError CHATROOM_NOT_FOUND, USER_NOT_FOUND, GROUP_NOT_FOUND, DELEGATE_NOT_FOUND
 */
export async function reassignChatroom(db: Db, request: Request): Promise<void> {
  const { org, chatroomId, assign, now, ...how } = request
  await inRetriedTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
    const assignee = await findAssignee(tx, org, assign)
    const userId = await pickUser(tx, org.id, assignee, now)
    await send(tx, assignUser({ ...how, orgId: org.id, room, userId, now }))
  })
}
