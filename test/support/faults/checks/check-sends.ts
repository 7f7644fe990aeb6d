import type { AcceptedSend } from '../../graph-server.ts'
import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

type OutboxRow = {
  id: string
  /** All ids that Meta has had for the number. */
  phoneIds: string[]
  state: string
  claimed_at: Date | null
  wa_id: string | null
  user_id: string | null
}

/**
 * Compares what the stand-in Graph API accepted with the outbox: each send is a row of the outbox, was accepted at
 * most once, went to the sender of the message it answers, and its row says so.
 */
export async function checkSends({ db, accepted, workerEnds = [] }: Evidence, report: Report): Promise<void> {
  if (accepted === undefined) return
  const { rows } = await db.$client.query<OutboxRow>(`
    select o.id, o.state, o.claimed_at, m.wa_id, m.user_id,
      array(select p.id from meta_objects p where p.kind = 'phone' and p.org_id = o.org_id
        and coalesce(p.waba_phone_id, p.id) = o.waba_phone_id) as "phoneIds"
    from outbox o left join messages m on m.org_id = o.org_id and m.wamid = o.in_reply_to`)
  const outbox = new Map(rows.map((row) => [row.id, row]))
  const times = new Map<string, number>()
  for (const send of accepted) {
    times.set(send.callback, (times.get(send.callback) ?? 0) + 1)
    checkSend(send, outbox.get(send.callback), workerEnds, report)
  }
  for (const [callback, count] of times)
    if (count > 1) report.add('acceptedOnce', `${callback}: ${count} times`)
  for (const { id, state } of rows) if (state === 'sent' && !times.has(id)) report.add('sentWasAccepted', id)
}

function checkSend(
  send: AcceptedSend,
  row: OutboxRow | undefined,
  workerEnds: readonly number[],
  report: Report,
): void {
  const { callback, phoneId, to, confirmed } = send
  const names = [row?.wa_id && `+${row.wa_id}`, row?.user_id]
  // A sender who hid the phone is answered at the phone that Usher knows of all the same.
  const own = row?.phoneIds.includes(phoneId) && (row.wa_id === null || names.includes(to))
  if (!own) report.add('replyToSender', callback)
  if (row?.state === 'failed' || row?.state === 'queued')
    report.add('acceptedIsNotFailed', `${callback} is ${row.state}`)
  const excused = row?.state === 'unknown' && workerEnds.some((end) => isUnderWay(row, end))
  if (confirmed && row?.state !== 'sent' && !excused)
    report.add('confirmedIsSent', `${callback} is ${row?.state}`)
}

const LEASE_MS = 60_000

/** Whether the claim of the row was held at that time: a sender that ends then may not have recorded Meta's answer. */
function isUnderWay({ claimed_at }: OutboxRow, end: number): boolean {
  return claimed_at !== null && end >= claimed_at.getTime() && end <= claimed_at.getTime() + LEASE_MS
}
