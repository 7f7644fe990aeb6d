import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { currentChatroom } from './current-chatroom.ts'
import { type ChatroomView, readChatroom } from './read-chatroom.ts'

/**
 * The chatroom of a contact at its WABA mapping (operation `getChatroomByContact`).
 * @throws ApiError WABA_MAPPING_NOT_FOUND, also when the org has no such contact
 */
export async function chatroomByContact(db: Db, orgId: string, contactId: string): Promise<ChatroomView> {
  const id = await currentChatroom(db, orgId, contactId)
  if (!id) throw new ApiError('WABA_MAPPING_NOT_FOUND', 'No contact waba mapping found')
  return readChatroom(db, orgId, id)
}
