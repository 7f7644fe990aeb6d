import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { firstRow, run, type Statement } from '../db/statement.ts'
import { readInOrder } from '../db/transaction.ts'

/** Rows that a batch looks at; its transaction takes about 20 ms, and locks nothing that routing needs. */
const PAGE = 1_000
const PAUSE_MS = 20

type Page = { last: string | null; old: number }

/** The messages of an org before a time, in the order of their wamids; rows that others have locked are left to the next run. */
function oldMessages(
  orgId: string,
  after: string,
  before: Date,
  deletes: boolean,
): Statement<Page | undefined> {
  return {
    name: deletes ? 'delete-old-messages' : 'count-old-messages',
    text: `with page as materialized (
        select wamid, sent_at from messages
        where org_id = $1 and wamid > $2 and sent_at < date_trunc('month', $3::timestamptz) + interval '1 month'
        order by wamid limit ${PAGE}),
      old as materialized (
        select m.wamid, m.sent_at from page p
        join messages m on m.org_id = $1 and m.wamid = p.wamid and m.sent_at = p.sent_at
        where p.sent_at < $3 ${deletes ? 'for update of m skip locked' : ''})
      ${deletes ? DELETE : ''}
      select (select max(wamid) from page) as last, (select count(*)::int from old) as old`,
    values: [orgId, after, before],
    read: firstRow<Page>,
  }
}

const DELETE = `, gone as (
        delete from messages m using old o where m.org_id = $1 and m.wamid = o.wamid and m.sent_at = o.sent_at)`

/** Deletes, or counts, the messages of an org before a time, batch by batch; gives their number. */
export async function handleOldMessages(
  db: Db,
  { orgId, before, deletes }: { orgId: string; before: Date; deletes: boolean },
): Promise<number> {
  let sum = 0
  for (let after = ''; ; await sleep(PAUSE_MS)) {
    const page = await readInOrder(db, oldMessages(orgId, after, before, deletes))
    if (page?.last == null) return sum
    sum += page.old
    after = page.last
  }
}

/** Deletes, or counts, the events of an org in the event log before a time; gives their number. */
export async function handleOldEvents(
  db: Db,
  { orgId, before, deletes }: { orgId: string; before: Date; deletes: boolean },
): Promise<number> {
  if (!deletes) return run(db, countOldEvents(orgId, before))
  for (let sum = 0; ; await sleep(PAUSE_MS)) {
    const deleted = (await readInOrder(db, deleteOldEvents(orgId, before))) ?? 0
    sum += deleted
    if (deleted === 0) return sum
  }
}

function deleteOldEvents(orgId: string, before: Date): Statement<number | undefined> {
  return {
    name: 'delete-old-events',
    text: `with old as materialized (
        select position, seq, at from event_log where org_id = $1 and at < $2
        order by position, seq limit ${PAGE} for update skip locked),
      gone as (
        delete from event_log e using old o
        where e.org_id = $1 and e.position = o.position and e.seq = o.seq and e.at = o.at)
      select count(*)::int as deleted from old`,
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
