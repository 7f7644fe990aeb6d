import type { Db } from '../db/client.ts'
import type { MessageCandidate } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'

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
export function readOutcomes(db: Db, orgId: string, wamids: string[]): Promise<Map<string, Outcome>> {
  return run(db, {
    text: `select m.wamid, m.route, m.reason, r.display_name as room, m.candidates, o.state as reply
      from messages m
      left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
      left join outbox o on o.org_id = m.org_id and o.in_reply_to = m.wamid
      where m.org_id = $1 and m.wamid = any($2)`,
    values: [orgId, wamids],
    read: (rows: Outcome[]) => new Map(rows.map((outcome) => [outcome.wamid, outcome])),
  })
}

/** Counts an org's messages with wamids that begin so; a message that Meta delivers several times counts once. */
export function countMessages(db: Db, orgId: string, wamidPrefix: string): Promise<number> {
  return run(db, {
    text: 'select count(*)::int as count from messages where org_id = $1 and starts_with(wamid, $2)',
    values: [orgId, wamidPrefix],
    read: ([row]: { count: number }[]) => row?.count ?? 0,
  })
}
