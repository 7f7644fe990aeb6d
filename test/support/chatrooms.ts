import { createChatroom } from '../../src/chatrooms/create-chatroom.ts'
import type { Db } from '../../src/db/client.ts'
import { readRoom } from './inbox.ts'
import { readOrg } from './leads.ts'
import type { TestOrg } from './org.ts'

/** An id that no contact or chatroom has. */
export const UNKNOWN_ID = '00000000-0000-7000-8000-000000000000'

export type Wishes = Partial<Omit<Parameters<typeof createChatroom>[1], 'org'>>

/** Creates a chatroom as an ADMIN who gives only the contact and the user `ann`, unless `wishes` say otherwise. */
export async function createAsAdmin(db: Db, org: TestOrg, contactId: string, wishes: Wishes = {}) {
  return createChatroom(db, {
    org: await readOrg(db, org),
    contactId,
    forceDeactivate: false,
    failIfElsewhere: true,
    assign: { mode: 'USER', userId: 'ann' },
    onHandover: false,
    actor: 'user:admin',
    now: new Date(),
    ...wishes,
  })
}

/** The states of these chatrooms, in the same order. */
export function statesOf(db: Db, org: TestOrg, ...rooms: { id: string }[]): Promise<string[]> {
  return Promise.all(rooms.map(async ({ id }) => (await readRoom(db, org.id, id)).state))
}
