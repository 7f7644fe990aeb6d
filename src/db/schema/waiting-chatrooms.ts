import { index, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { instant, orgId } from './columns.ts'

/**
 * The chatrooms whose customer waits for an answer, since Meta's time of the first message without one. Only the start
 * and the end of a wait write here, in statements that routing and sending have anyway. An indexed column of
 * `chatrooms` would cost more: an update that changes it is not heap-only, and so writes to all indexes of that table. A
 * trigger ends the wait of a chatroom that is deactivated or expires. No foreign key: it would read the chatroom once more for each wait.
 */
export const waitingChatrooms = pgTable(
  'waiting_chatrooms',
  {
    orgId: orgId(),
    chatroomId: uuid('chatroom_id').notNull(),
    since: instant('since').notNull(),
  },
  (t) => [
    primaryKey({ name: 'waiting_chatrooms_pkey', columns: [t.orgId, t.chatroomId] }),
    index('waiting_chatrooms_since').on(t.orgId, t.since, t.chatroomId),
  ],
)
