import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import type { Handover } from './planned.ts'

const HANDOVERS = columns<Handover>({
  org_id: text((h) => h.orgId),
  room_id: uuid((h) => h.roomId),
  user_id: text((h) => h.userId),
  at: timestamptz((h) => h.at),
})

/**
 * Puts pending assignments into effect: the new user becomes the only member of the chatroom, and sees it from the
 * customer's message on, or from the beginning where the chatroom's history is visible.
 */
export function handOver(handovers: Handover[]): Statement<void> {
  return over(HANDOVERS, handovers, {
    name: 'hand-over',
    text: `with h as (select * from ${HANDOVERS.as('h')}),
      revoked as (
        delete from chatroom_members m using h
        where m.org_id = h.org_id and m.chatroom_id = h.room_id and m.user_id <> h.user_id)
      insert into chatroom_members (org_id, chatroom_id, user_id, visible_from)
      select h.org_id, h.room_id, h.user_id, case when r.history_visible then null else h.at end
      from h join chatrooms r on r.org_id = h.org_id and r.id = h.room_id
      on conflict do nothing`,
    read: nothing,
  })
}
