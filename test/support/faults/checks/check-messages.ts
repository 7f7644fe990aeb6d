import type { Evidence, PostedMessage } from './evidence.ts'
import { type InboundRow, inboundRows } from './inbound-rows.ts'
import { createPlacementCheck } from './placement.ts'
import { wamidsIn } from './posted.ts'
import type { Report } from './report.ts'
import { checkPart, createTargetCheck } from './routing-part.ts'

/** How many messages were posted, and how many of them were answered with 200. */
export type MessageFigures = { posted: number; acknowledged: number }

/** Compares every message that was posted with every inbound message that is stored. */
export async function checkMessages(evidence: Evidence, report: Report): Promise<MessageFigures> {
  const checkPlacement = createPlacementCheck(report)
  const checkTarget = createTargetCheck(report)
  const stored = new Set<string>()
  for await (const row of inboundRows(evidence)) {
    if (stored.has(row.wamid)) report.add('storedOnce', row.wamid)
    stored.add(row.wamid)
    const posted = evidence.posted.get(row.wamid)
    if (posted === undefined) {
      report.add('storedWasPosted', row.wamid)
    } else {
      checkPlacement(row, posted)
      checkContent(row, posted, report)
      checkPart(row, posted, report)
      checkTarget.note(row, posted)
    }
  }
  checkTarget.end()
  await checkKeys(evidence, report)
  const acknowledged = [...evidence.posted.values()].filter(({ acked, ghostAcked }) => acked || ghostAcked)
  await checkMissing(
    evidence,
    acknowledged.filter(({ wamid }) => !stored.has(wamid)),
    report,
  )
  return { posted: evidence.posted.size, acknowledged: acknowledged.length }
}

/**
 * No wamid is in the ledger twice. Its keys are of months, and routing looks for a message in those beside. Two inbound
 * rows have been noted already.
 */
async function checkKeys({ db }: Evidence, report: Report): Promise<void> {
  const { rows } = await db.$client.query<{ found: string }>(
    `select concat_ws(' ', org_id, wamid, count(*)) as found from messages
     group by org_id, wamid having count(*) > 1 and count(*) filter (where direction <> 'out') < 2 limit 1000`,
  )
  for (const { found } of rows) report.add('storedOnce', found)
}

const GHOSTS = ['unsupported', 'media_placeholder']

function checkContent(row: InboundRow, posted: PostedMessage, report: Report): void {
  const ghost = GHOSTS.includes(row.type) && posted.type !== row.type
  if (ghost && posted.acked) report.add('contentReplacesGhost', row.wamid)
  if (ghost) return
  if (row.type !== posted.type || row.payload.text?.body !== posted.text)
    report.add('contentAsSigned', `${row.wamid}: ${row.type}`)
  if (row.sent_at.getTime() !== posted.at.getTime())
    report.add('timeAsSigned', `${row.wamid}: ${row.sent_at.toISOString()}`)
}

/** An acknowledged message that is not stored is lost, unless its delivery still waits or was to become a dead letter. */
async function checkMissing(evidence: Evidence, missing: PostedMessage[], report: Report): Promise<void> {
  const inbox = await readInbox(evidence)
  for (const { wamid } of missing) {
    const kept = evidence.deadLetters?.has(wamid) && inbox.dead.has(wamid)
    if (inbox.waiting.has(wamid)) report.add('inboxIsEmpty', wamid)
    else if (!kept) report.add('acknowledgedIsKept', wamid)
  }
}

/** The messages in the deliveries that wait, and in the dead letters. */
async function readInbox({ db }: Evidence): Promise<{ waiting: Set<string>; dead: Set<string> }> {
  const { rows } = await db.$client.query<{ body: Buffer; state: string }>(
    'select body, state from inbox order by id limit 5000',
  )
  const wamids = (dead: boolean) =>
    new Set(rows.filter(({ state }) => (state === 'dead') === dead).flatMap(({ body }) => wamidsIn(body)))
  return { waiting: wamids(false), dead: wamids(true) }
}
