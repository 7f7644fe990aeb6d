import type { Db } from '../db/client.ts'
import type { MessageCandidate } from '../db/schema/index.ts'

/** How one message was routed; `room` is the chatroom's display name, `reply` the state of its auto-reply. */
export type Outcome = {
  wamid: string
  route: string | null
  reason: string
  room: string | null
  candidates: MessageCandidate[]
  reply: string | null
}

/** Reads the outcomes of these messages, by wamid. A message that is not routed yet is absent. */
export async function readOutcomes(db: Db, orgId: string, wamids: string[]): Promise<Map<string, Outcome>> {
  const { rows } = await db.$client.query<Outcome>(
    `select m.wamid, m.route, m.reason, r.display_name as room, m.candidates, o.state as reply
     from messages m
     left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
     left join outbox o on o.org_id = m.org_id and o.in_reply_to = m.wamid
     where m.org_id = $1 and m.wamid = any($2)`,
    [orgId, wamids],
  )
  return new Map(rows.map((outcome) => [outcome.wamid, outcome]))
}

/** Counts an org's inbound messages; a message that Meta delivers several times counts once. */
export async function countMessages(db: Db, orgId: string): Promise<number> {
  const { rows } = await db.$client.query<{ count: number }>(
    `select count(*)::int as count from messages where org_id = $1 and direction = 'in'`,
    [orgId],
  )
  return rows[0]?.count ?? 0
}
