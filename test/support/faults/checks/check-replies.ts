import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

export type ReplyFigures = { replies: number; unknownSends: number }

/**
 * Each message to an expired chatroom, with the number of its auto-replies, and each auto-reply to anything else.
 * Reactions, edits and revocations get no reply, nor does a message in a burst of more than `auto_reply_burst`, or one
 * that came when the window of 24 h was over (the hour before that is left for its delivery).
 */
const REPLIES = `
  with replies as (
    select org_id, in_reply_to, count(*)::int as n from outbox where kind = 'auto_reply' group by 1, 2)
  select concat_ws(' ', coalesce(m.org_id, r.org_id), coalesce(m.wamid, r.in_reply_to)) as message,
    m.wamid is not null as due, coalesce(r.n, 0) as replies
  from (
    select distinct m.org_id, m.wamid from messages m join orgs o on o.id = m.org_id
    where m.direction = 'in' and m.route = 'expired' and m.sent_at > m.received_at - interval '23 hours'
      and m.type not in ('reaction', 'edit', 'revoke')
      and o.auto_reply_text is not null and m.reason not like '%auto-replies are paused') m
  full join replies r on r.org_id = m.org_id and r.in_reply_to = m.wamid
  where m.wamid is null or r.n is distinct from 1 limit 1000`

/** Every message to an expired chatroom has one auto-reply in the outbox, and no other message has any. */
export async function checkReplies({ db }: Pick<Evidence, 'db'>, report: Report): Promise<ReplyFigures> {
  const { rows } = await db.$client.query<{ message: string; due: boolean; replies: number }>(REPLIES)
  for (const { message, due, replies } of rows) {
    if (!due) report.add('replyOnlyToExpired', message)
    else if (replies === 0) report.add('replyForEach', message)
    if (replies > 1) report.add('replyOnce', `${message}: ${replies}`)
  }
  const { rows: figures } = await db.$client.query<ReplyFigures>(`
    select count(*)::int as replies, count(*) filter (where state = 'unknown')::int as "unknownSends" from outbox`)
  return figures[0]!
}
