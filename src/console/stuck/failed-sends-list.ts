import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { over, run } from '../../db/statement.ts'
import { reasonOf, SEND_STATE_COLUMNS, SEND_STATE_TABLES, type SendState } from '../../messages/send-state.ts'

/** A message that failed, or whose outcome is unknown, and that nobody has sent again; without its text. */
export type FailedSend = {
  orgId: string
  id: string
  wamid: string
  chatroomId: string
  number: string
  type: string
  status: 'failed' | 'unknown'
  reason: string | null
  at: Date
}

const PER_ORG = 50
const MAX_SENDS = 100

const ORGS = columns<string>({ id: text((id) => id) })
const NOT_SENT_AGAIN =
  'not exists (select from messages r where r.org_id = m.org_id and r.retry_of = m.outbox_id)'

/** The latest of these orgs, newest first: at most 50 failed and 50 unknown ones of each org, 100 of all. */
export function listFailedSends(db: Db, orgIds: string[]): Promise<FailedSend[]> {
  const statement = over(ORGS, orgIds, {
    name: 'console-failed-sends',
    text: `select m.org_id as "orgId", m.wamid, m.chatroom_id as "chatroomId", m.type, m.sent_at as at,
        coalesce(n.display_phone_number, m.waba_phone_id) as number, ${SEND_STATE_COLUMNS}
      from ${ORGS.as('g')}
      cross join lateral (
        (select m.* from messages m where m.org_id = g.id and m.status = 'failed' and m.direction = 'out'
          and ${NOT_SENT_AGAIN} order by m.sent_at desc limit ${PER_ORG})
        union all
        (select m.* from outbox u join messages m on m.org_id = u.org_id and m.outbox_id = u.id
          where u.org_id = g.id and u.state = 'unknown' and m.status is null
          and ${NOT_SENT_AGAIN} order by u.created_at desc limit ${PER_ORG})) m
      ${SEND_STATE_TABLES}
      left join waba_phones n on n.org_id = m.org_id and n.id = m.waba_phone_id
      where o.id is not null order by m.sent_at desc limit ${MAX_SENDS}`,
    read: (rows: (Omit<FailedSend, 'reason'> & SendState)[]) =>
      rows.map((row) => ({ ...row, reason: reasonOf(row) })),
  })
  return run(db, statement)
}
