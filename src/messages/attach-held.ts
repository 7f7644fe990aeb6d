import { columns, text, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import type { LoggedEvent } from '../event-log/log-events.ts'
import type { Pair } from '../rules/keys.ts'
import { startWaitsSql } from '../rules/waiting.ts'

/** A new chatroom of a customer at a number. */
export type NewRoom = Pair & { id: string }

/** The event of a held message that joined a chatroom. */
export type AttachedMessage = LoggedEvent & { chatroomId: string }

const ROOMS = columns<NewRoom>({
  org_id: text((r) => r.orgId),
  id: uuid((r) => r.id),
  customer_id: uuid((r) => r.customerId),
  phone_id: text((r) => r.phoneId),
})

/**
 * Gives new chatrooms the messages that were held for their customer at their number, in the transaction that creates
 * the chatrooms. The messages keep the route `held`, and pages show them in Meta's order. The last one advances the
 * chatroom's `last_inbound_at`, and the customer waits since the first one.
 * @returns the events of the messages, to be logged after those of the chatrooms
 */
export function attachHeldMessages(rooms: NewRoom[]): Statement<AttachedMessage[]> {
  return over(ROOMS, rooms, {
    name: 'attach-held-messages',
    text: `with attached as (
        update messages m set chatroom_id = r.id
        from ${ROOMS.as('r')}
        where m.org_id = r.org_id and m.customer_id = r.customer_id and m.waba_phone_id = r.phone_id
          and m.route = 'held' and m.chatroom_id is null
        returning m.org_id, m.chatroom_id, m.customer_id, m.wamid, m.sent_at, m.seq),
      newest as (
        update chatrooms r set last_inbound_at = greatest(r.last_inbound_at, a.sent_at)
        from (select org_id, chatroom_id, max(sent_at) as sent_at from attached group by 1, 2) a
        where r.org_id = a.org_id and r.id = a.chatroom_id),
      waits as (${startWaitsSql('attached')})
      select org_id as "orgId", 'message.attached' as type, customer_id as "customerId", chatroom_id as "chatroomId", wamid from attached
      order by sent_at, seq`,
    read: allRows<AttachedMessage>,
  })
}
