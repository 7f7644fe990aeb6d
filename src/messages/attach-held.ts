import type { Db } from '../db/client.ts'

/**
 * Gives a new chatroom the messages that were held for its customer at its number; they keep the route `held`,
 * and paging shows them in Meta's order. The last of them is the chatroom's last word of the customer. Call it in the transaction that creates the chatrooms.
 */
export async function attachHeldMessages(
  tx: Db,
  rooms: { orgId: string; id: string; customerId: string; phoneId: string }[],
): Promise<number> {
  const { rows } = await tx.$client.query<{ count: number }>({
    name: 'attach-held-messages',
    text: `with attached as (
        update messages m set chatroom_id = r.id
        from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[]) as r(org_id, id, customer_id, phone_id)
        where m.org_id = r.org_id and m.customer_id = r.customer_id and m.waba_phone_id = r.phone_id
          and m.route = 'held' and m.chatroom_id is null
        returning m.org_id, m.chatroom_id, m.sent_at),
      newest as (
        update chatrooms r set last_inbound_at = greatest(r.last_inbound_at, a.sent_at)
        from (select org_id, chatroom_id, max(sent_at) as sent_at from attached group by 1, 2) a
        where r.org_id = a.org_id and r.id = a.chatroom_id)
      select count(*)::int as count from attached`,
    values: [
      rooms.map((r) => r.orgId),
      rooms.map((r) => r.id),
      rooms.map((r) => r.customerId),
      rooms.map((r) => r.phoneId),
    ],
  })
  return rows[0]?.count ?? 0
}
