import type { Db } from '../db/client.ts'
import type { MessageCandidate } from '../db/schema/index.ts'

/** What became of one message, as the ledger tells it. */
export type Way = {
  wamid: string
  route: string | null
  reason: string
  room: string | null
  candidates: MessageCandidate[]
  reply: string | null
}

/** The ways of these messages, by wamid; those not routed yet are absent. */
export async function readWays(db: Db, orgId: string, wamids: string[]): Promise<Map<string, Way>> {
  const { rows } = await db.$client.query<Way>(
    `select m.wamid, m.route, m.reason, r.display_name as room, m.candidates, o.state as reply
     from messages m
     left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
     left join outbox o on o.org_id = m.org_id and o.in_reply_to = m.wamid
     where m.org_id = $1 and m.wamid = any($2)`,
    [orgId, wamids],
  )
  return new Map(rows.map((way) => [way.wamid, way]))
}

/** How many customer messages are in the ledger: each once, however often Meta delivers it. */
export async function countMessages(db: Db, orgId: string): Promise<number> {
  const { rows } = await db.$client.query<{ count: number }>(
    `select count(*)::int as count from messages where org_id = $1 and direction = 'in'`,
    [orgId],
  )
  return rows[0]?.count ?? 0
}
