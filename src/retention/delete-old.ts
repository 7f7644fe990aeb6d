import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { firstRow, run, type Statement } from '../db/statement.ts'
import { readInOrder } from '../db/transaction.ts'
import { yieldToRouting } from '../inbox/yield-to-routing.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import { listOldSpans, type OldSpan } from './old-spans.ts'

/** Rows that a batch deletes; its transaction takes about 20 ms in a large ledger, and locks nothing that routing needs. */
const PAGE = 250
/** Rows that are counted at a time. */
const COUNTED = 5_000
/** After a batch, the deletion rests for so many times as long as the batch took: routing needs the processor and the disk. */
const RESTS = 3
const LEAST_REST_MS = 20

type Page = { last: string | null; old: number }

/**
 * The messages of an org in a span, in the order of their wamids; rows that others have locked are left to the next run.
 * A span has one partition of the ledger, and the default one: messages are deleted by their wamids, which would be looked
 * up in each.
 */
function oldMessages(
  orgId: string,
  after: string,
  { since, until }: OldSpan,
  deletes: boolean,
): Statement<Page | undefined> {
  return {
    name: deletes ? 'delete-old-messages' : 'count-old-messages',
    text: `with page as materialized (
        select m.wamid, m.sent_at from messages m where m.org_id = $1 and m.wamid > $2 and ${IN_SPAN}
        order by m.wamid ${deletes ? `limit ${PAGE} for update of m skip locked` : `limit ${COUNTED}`})
      ${deletes ? DELETE : ''}
      select max(wamid) as last, count(*)::int as old from page`,
    values: [orgId, after, since, until],
    read: firstRow<Page>,
  }
}

const IN_SPAN = 'm.sent_at >= $3 and m.sent_at < $4'

const DELETE = `, gone as (
        delete from messages m using page p where m.org_id = $1 and m.wamid = p.wamid
          and ${withoutPruning('m.sent_at')} = p.sent_at and ${IN_SPAN})`

/** Deletes, or counts, the messages of an org before a time, batch by batch; gives their number. */
export async function handleOldMessages(
  db: Db,
  { orgId, before, deletes }: { orgId: string; before: Date; deletes: boolean },
): Promise<number> {
  let sum = 0
  for (const span of await listOldSpans(db, before)) {
    for (let after = ''; ; ) {
      const page = await inTurn(db, oldMessages(orgId, after, span, deletes))
      if (page?.last == null) break
      sum += page.old
      after = page.last
    }
  }
  return sum
}

/** Deletes, or counts, the events of an org in the event log before a time; gives their number. */
export async function handleOldEvents(
  db: Db,
  { orgId, before, deletes }: { orgId: string; before: Date; deletes: boolean },
): Promise<number> {
  if (!deletes) return run(db, countOldEvents(orgId, before))
  for (let sum = 0; ; ) {
    const deleted = (await inTurn(db, deleteOldEvents(orgId, before))) ?? 0
    sum += deleted
    if (deleted === 0) return sum
  }
}

/** Runs a batch while routing is not late, and rests afterwards. */
async function inTurn<T>(db: Db, batch: Statement<T>): Promise<T> {
  await yieldToRouting(db)
  const began = performance.now()
  const result = await readInOrder(db, batch)
  await sleep(Math.max(LEAST_REST_MS, RESTS * (performance.now() - began)))
  return result
}

function deleteOldEvents(orgId: string, before: Date): Statement<number | undefined> {
  return {
    name: 'delete-old-events',
    text: `with old as materialized (
        select position from event_log where org_id = $1 and at < $2 order by position, seq limit ${PAGE}),
      gone as (
        delete from event_log e
        where e.org_id = $1 and e.position <= (select max(position) from old) and e.at < $2 returning 1)
      select count(*)::int as deleted from gone`,
    values: [orgId, before],
    read: ([row]: { deleted: number }[]) => row?.deleted,
  }
}

function countOldEvents(orgId: string, before: Date): Statement<number> {
  return {
    name: 'count-old-events',
    text: 'select count(*)::int as old from event_log where org_id = $1 and at < $2',
    values: [orgId, before],
    read: ([row]: { old: number }[]) => row?.old ?? 0,
  }
}
