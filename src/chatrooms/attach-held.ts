import type { Db } from '../db/client.ts'

/**
 * Gives a new chatroom the messages that were held for its customer at its number; they keep the route `held`,
 * and paging shows them in Meta's order. Call it in the transaction that creates the chatrooms.
 */
export async function attachHeldMessages(
  tx: Db,
  rooms: { orgId: string; id: string; customerId: string; phoneId: string }[],
): Promise<number> {
  const { rowCount } = await tx.$client.query({
    name: 'attach-held-messages',
    text: `update messages m set chatroom_id = r.id
      from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[]) as r(org_id, id, customer_id, phone_id)
      where m.org_id = r.org_id and m.customer_id = r.customer_id and m.waba_phone_id = r.phone_id
        and m.route = 'held' and m.chatroom_id is null`,
    values: [
      rooms.map((r) => r.orgId),
      rooms.map((r) => r.id),
      rooms.map((r) => r.customerId),
      rooms.map((r) => r.phoneId),
    ],
  })
  return rowCount ?? 0
}
