import type { Lab } from './lab.ts'
import type { Report } from './report.ts'

export type ReplyFigures = { replies: number; unknownSends: number }

/** I7: one auto-reply row for each message that met an expired chatroom, and none besides. */
export async function checkReplies({ db }: Lab, report: Report): Promise<ReplyFigures> {
  const { rows } = await db.$client.query<{ what: string; replies: number }>(`
    with replies as (select org_id, in_reply_to, count(*)::int as n from outbox where kind = 'auto_reply' group by 1, 2)
    select concat_ws(' ', coalesce(m.org_id, r.org_id), coalesce(m.wamid, r.in_reply_to)) as what,
      coalesce(r.n, 0) as replies
    from (select org_id, wamid from messages where direction = 'in' and route = 'expired'
          and type not in ('reaction', 'edit', 'revoke')) m
    full join replies r on r.org_id = m.org_id and r.in_reply_to = m.wamid
    where m.wamid is null or r.n is distinct from 1 limit 1000`)
  for (const { what, replies } of rows)
    report.add('one auto-reply for each message in an expired chatroom (I7)', `${what}: ${replies}`)
  const { rows: figures } = await db.$client.query<ReplyFigures>(`
    select count(*)::int as replies, count(*) filter (where state = 'unknown')::int as "unknownSends" from outbox`)
  return figures[0]!
}

type OutboxRow = {
  id: string
  waba_phone_id: string
  state: string
  wamid: string | null
  wa_id: string | null
  user_id: string | null
  status: string | null
}

const RANKS = ['sent', 'delivered', 'read']

/** I7, I8: what Meta took was ours, taken once, addressed to who had written; statuses only went forward. */
export async function checkGraph({ db, graph, meta }: Lab, report: Report): Promise<void> {
  const { rows } = await db.$client.query<OutboxRow>(`
    select o.id, o.waba_phone_id, o.state, o.wamid, m.wa_id, m.user_id, sent.status from outbox o
    left join messages m on m.org_id = o.org_id and m.wamid = o.in_reply_to
    left join messages sent on sent.org_id = o.org_id and sent.wamid = o.wamid`)
  const outbox = new Map(rows.map((row) => [row.id, row]))
  const times = new Map<string, number>()
  for (const taken of graph.taken) {
    times.set(taken.callback, (times.get(taken.callback) ?? 0) + 1)
    const row = outbox.get(taken.callback)
    const names = [row?.wa_id && `+${row.wa_id}`, row?.user_id]
    // Who hid the phone is answered at the phone that is known all the same.
    const own = row && row.waba_phone_id === taken.phoneId && (row.wa_id === null || names.includes(taken.to))
    if (!own) report.add('a reply goes to who wrote, from the number written to (I7)', taken.callback)
    if (row?.state === 'failed' || row?.state === 'queued')
      report.add('what Meta took is not called failed (I7)', `${taken.callback} is ${row.state}`)
    if (taken.known && row?.state !== 'sent')
      report.add('what Meta said it took is sent (I7)', `${taken.callback} is ${row?.state}`)
  }
  for (const [callback, count] of times)
    if (count > 1) report.add('Meta is sent a message once at most (I7)', `${callback}: ${count} times`)
  for (const row of rows)
    if (row.state === 'sent' && !times.has(row.id))
      report.add('what is called sent was taken by Meta (I7)', row.id)
  const best = new Map<string, number>()
  for (const { callback, status, acked } of meta.log.statuses)
    if (acked) best.set(callback, Math.max(best.get(callback) ?? -1, RANKS.indexOf(status)))
  for (const [callback, rank] of best) {
    const row = outbox.get(callback)
    if (row?.status !== RANKS[rank])
      report.add('statuses only go forward (I8)', `${callback} is ${row?.status}, told ${RANKS[rank]}`)
  }
}
