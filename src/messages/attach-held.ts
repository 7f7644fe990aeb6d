import { columns, text, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import type { Pair } from '../rules/keys.ts'

/** A new chatroom of a customer at a number. */
export type NewRoom = Pair & { id: string }

const ROOMS = columns<NewRoom>({
  org_id: text((r) => r.orgId),
  id: uuid((r) => r.id),
  customer_id: uuid((r) => r.customerId),
  phone_id: text((r) => r.phoneId),
})

/**
 * Gives new chatrooms the messages that were held for their customer at their number, in the transaction that creates
 * the chatrooms. The messages keep the route `held`, and pages show them in Meta's order. The last one advances the
 * chatroom's `last_inbound_at`.
 * @returns how many messages were attached
 */
export function attachHeldMessages(rooms: NewRoom[]): Statement<number> {
  return over(ROOMS, rooms, {
    name: 'attach-held-messages',
    text: `with attached as (
        update messages m set chatroom_id = r.id
        from ${ROOMS.as('r')}
        where m.org_id = r.org_id and m.customer_id = r.customer_id and m.waba_phone_id = r.phone_id
          and m.route = 'held' and m.chatroom_id is null
        returning m.org_id, m.chatroom_id, m.sent_at),
      newest as (
        update chatrooms r set last_inbound_at = greatest(r.last_inbound_at, a.sent_at)
        from (select org_id, chatroom_id, max(sent_at) as sent_at from attached group by 1, 2) a
        where r.org_id = a.org_id and r.id = a.chatroom_id)
      select count(*)::int as count from attached`,
    read: ([row]: { count: number }[]) => row?.count ?? 0,
  })
}
