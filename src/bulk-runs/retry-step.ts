import type { Db } from '../db/client.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { readOrg } from '../orgs/read-org.ts'
import { FAILED_SENDS_FIT, failedSendsSql } from '../outbound/failed-sends-sql.ts'
import { retrySend } from '../outbound/retry-send.ts'
import { type Age, ageValues } from '../rules/age.ts'
import { beat, noteProgress, type OpenRun } from './progress.ts'
import type { RunKey } from './start-run.ts'

/** Messages that a step sends again, and that it looks at. */
const BATCH = 20
const SEARCHED = 500

type Send = { id: string; chatroomId: string; wamid: string; at: Date; fits: boolean; number: number }

/**
 * Sends the next messages of a run again, oldest first, each in a transaction of its own, as a person does by hand. A
 * message is sent again once (`retrySend`), so a step that is repeated doubles nothing. What a message is refused for is
 * counted, and the run goes on with the next one.
 * @returns whether the run goes on
 */
export async function retryStep(db: Db, key: RunKey): Promise<boolean> {
  const open = await run(db, beat(key))
  if (open?.orgId == null) return false
  const searched = await run(db, nextSends(open, open.orgId))
  const fitting = searched.filter(({ fits }) => fits)
  const batch = fitting.slice(0, BATCH)
  for (const send of batch) {
    const end = await retryOne(db, open, send)
    const place = [send.at.getTime(), send.wamid]
    if ((await run(db, noteProgress(key, { ...end, place, isLast: false }))) === 0) return false
  }
  if (fitting.length > BATCH) return true
  const last = searched.at(-1)
  const place = last ? [last.at.getTime(), last.wamid] : null
  const isLast = searched.length < SEARCHED
  return (await run(db, noteProgress(key, { done: 0, place, isLast }))) === 1 && !isLast
}

/** How a retry ended: done, refused, or already made by somebody else. */
async function retryOne(
  db: Db,
  { orgId, filter, actor }: OpenRun,
  { id, chatroomId }: Send,
): Promise<{ done: number; refused?: string }> {
  try {
    const { org, now } = await readOrg(db, orgId ?? '')
    const { row } = await retrySend(db, {
      ...{ org, chatroomId, message: id, confirm: filter.state === 'unknown', now },
      ...{ sender: undefined, mayCampaign: true, actor },
    })
    return { done: row ? 1 : 0 }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { done: 0, refused: error.error }
  }
}

const NEXT = failedSendsSql({
  orgs: '(select $1::text as id) g',
  order: 'asc',
  limit: '$9',
  asOf: '$10::timestamptz',
})

function nextSends({ filter, place, startedAt }: OpenRun, orgId: string): Statement<Send[]> {
  const { number, reason, age, state = 'failed' } = filter
  const [ms, wamid = ''] = place ?? []
  const from = ms === undefined ? '-infinity' : new Date(ms)
  return {
    name: 'next-failed-sends',
    text: `select s.send_id as id, s.chatroom_id as "chatroomId", s.wamid, s.sent_at as at, ${FAILED_SENDS_FIT} as fits
      from (${NEXT}) s order by s.sent_at, s.wamid`,
    values: [
      ...[orgId, number, reason, state, ...ageValues(age as Age | undefined)],
      ...[from, wamid, SEARCHED, startedAt],
    ],
    read: allRows<Send>,
  }
}
