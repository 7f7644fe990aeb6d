import type { Wish } from '../../src/chatrooms/pick-assignee.ts'
import type { Db } from '../../src/db/client.ts'
import { createAsAdmin } from './chatrooms.ts'
import type { TestOrg } from './org.ts'
import { refusalOf } from './refusal.ts'

/** The users of an org in which somebody is picked. */
export const FOUR = ['ann', 'bob', 'cid', 'dee']

export const toUser = (userId: string): Wish => ({ mode: 'USER', userId })
export const toGroup = (groupId: string): Wish => ({ mode: 'GROUP', groupId })

/** Creates and refuses assignments in one database. */
export function assignmentsIn(db: Db) {
  return {
    /** The id of a new chatroom of the contact, which is assigned so. */
    async create(org: TestOrg, contactId: string, assign: Wish, onHandover = false): Promise<string> {
      return (await createAsAdmin(db, org, contactId, { assign, onHandover })).chatroomId
    },
    /** Status and name of the error that `work` is refused with; fails when `work` changes anything of the org. */
    async refused(org: TestOrg, work: () => Promise<unknown>): Promise<[number, string]> {
      const { status, error } = await refusalOf(db, org, work)
      return [status, error]
    },
  }
}
