import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { over, run } from '../../db/statement.ts'
import { reasonOf, SEND_STATE_COLUMNS, SEND_STATE_TABLES, type SendState } from '../../messages/send-state.ts'
import { FAILED_SENDS_FIT, failedSendsSql } from '../../outbound/failed-sends-sql.ts'
import { ageValues } from '../../rules/age.ts'
import {
  type Found,
  type Judged,
  judgedSql,
  MAX_TOTAL,
  readTotal,
  searchedRows,
  type Total,
  toFound,
} from './search.ts'
import type { StuckFilter } from './stuck-query.ts'

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

/** A place in the list: when the message was queued, in milliseconds, and its wamid. */
export const sendPlace = z.tuple([z.int().min(0), z.string()])

type Asked = { filter: StuckFilter; before?: z.infer<typeof sendPlace> | undefined; size: number }
type Row = Omit<FailedSend, 'reason'> & SendState & Judged

const ORGS = columns<string>({ id: text((id) => id) })
const ORDER = 'sent_at desc, wamid desc'
const SEARCHED = failedSendsSql({ orgs: ORGS.as('g'), order: 'desc', limit: '$9' })

const valuesOf = ({ number, reason, age, state }: StuckFilter) => [number, reason, state, ...ageValues(age)]

/** A page of the failed sends of these orgs that fit the filter, the newest first. */
export async function listFailedSends(
  db: Db,
  orgIds: string[],
  { filter, before, size }: Asked,
): Promise<Found<FailedSend>> {
  // Messages that were sent again are left out, which is a filter too.
  const most = searchedRows(size, true, orgIds.length)
  const [ms, wamid = ''] = before ?? []
  const place = [ms === undefined ? 'infinity' : new Date(ms), wamid]
  const statement = over(ORGS, orgIds, {
    name: 'console-failed-sends',
    text: `select m.org_id as "orgId", m.wamid, m.chatroom_id as "chatroomId", m.type, m.sent_at as at,
        coalesce(n.display_phone_number, m.waba_phone_id) as number, ${SEND_STATE_COLUMNS}, m.fits, m.place
      from ${judgedSql(SEARCHED, { fits: FAILED_SENDS_FIT, order: ORDER, limits: ['$9', '$10'] })} m
      ${SEND_STATE_TABLES}
      left join waba_phones n on n.org_id = m.org_id and n.id = m.waba_phone_id
      order by m.place`,
    values: [...valuesOf(filter), ...place, most, size],
    read: (rows: Row[]) =>
      toFound(
        rows.map((row) => ({ ...row, reason: reasonOf(row) })),
        size,
        most,
      ),
  })
  return run(db, statement)
}

/** How many failed sends of these orgs fit the filter. */
export async function countFailedSends(db: Db, orgIds: string[], filter: StuckFilter): Promise<Total> {
  const statement = over(ORGS, orgIds, {
    name: 'console-total-failed-sends',
    text: `select count(*) filter (where ${FAILED_SENDS_FIT})::int as found, count(*)::int as searched
      from (${SEARCHED}) s`,
    values: [...valuesOf(filter), 'infinity', '', MAX_TOTAL + 1],
    read: readTotal,
  })
  return run(db, statement)
}
