import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import { columns, text } from '../../db/columns.ts'
import { over, run } from '../../db/statement.ts'
import { ageSql, ageValues } from '../../rules/age.ts'
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

/** A message that waits for a chatroom of its customer, without its text. */
export type HeldMessage = {
  orgId: string
  wamid: string
  customerId: string | null
  sender: string | null
  number: string
  type: string
  reason: string
  /** When the customer wrote. */
  at: Date
  seq: string
}

/** A place in the list: Meta's time in milliseconds, the order of receipt, the wamid. */
export const heldPlace = z.tuple([z.int().min(0), z.string().regex(/^-?\d{1,18}$/), z.string()])
type HeldPlace = z.infer<typeof heldPlace>

type Asked = { filter: StuckFilter; before?: HeldPlace | undefined; size: number }

const ORGS = columns<string>({ id: text((id) => id) })
const FITS =
  '($2::text is null or waba_phone_id = $2) and ($3::text is null or position(lower($3) in lower(reason)) > 0)'
const HELD = `m.org_id = g.id and m.route = 'held' and m.chatroom_id is null and ${ageSql('m.sent_at', ['$4', '$5'])}`
const ORDER = 'sent_at desc, seq desc, wamid desc'
const SEARCHED = `select m.* from ${ORGS.as('g')}
  cross join lateral (
    select org_id, wamid, customer_id, wa_id, user_id, waba_phone_id, type, reason, sent_at, seq from messages m
    where ${HELD} and (m.sent_at, m.seq, m.wamid) < ($6::timestamptz, $7::bigint, $8::text)
    order by m.sent_at desc, m.seq desc, m.wamid desc limit $9) m
  order by ${ORDER} limit $9`

/** A page of the held messages of these orgs that fit the filter, the newest first. */
export async function listHeld(
  db: Db,
  orgIds: string[],
  { filter, before, size }: Asked,
): Promise<Found<HeldMessage>> {
  const { number, reason, age } = filter
  const most = searchedRows(size, Boolean(number ?? reason), orgIds.length)
  const [ms, seq, wamid] = before ?? [undefined, '0', '']
  const place = [ms === undefined ? 'infinity' : new Date(ms), seq, wamid]
  const statement = over(ORGS, orgIds, {
    name: 'console-held',
    text: `select m.org_id as "orgId", m.wamid, m.customer_id as "customerId",
        coalesce(m.wa_id, m.user_id) as sender, coalesce(p.display_phone_number, m.waba_phone_id) as number, m.type,
        m.reason, m.sent_at as at, m.seq, m.fits, m.place
      from ${judgedSql(SEARCHED, { fits: FITS, order: ORDER, limits: ['$9', '$10'] })} m
      left join waba_phones p on p.org_id = m.org_id and p.id = m.waba_phone_id
      order by m.place`,
    values: [number, reason, ...ageValues(age), ...place, most, size],
    read: (rows: (HeldMessage & Judged)[]) => toFound(rows, size, most),
  })
  return run(db, statement)
}

/** How many held messages of these orgs fit the filter. */
export async function countHeldOf(db: Db, orgIds: string[], filter: StuckFilter): Promise<Total> {
  const statement = over(ORGS, orgIds, {
    name: 'console-total-held',
    text: `select count(*) filter (where ${FITS})::int as found, count(*)::int as searched from (
        select m.waba_phone_id, m.reason from ${ORGS.as('g')}
        cross join lateral (
          select waba_phone_id, reason from messages m where ${HELD} order by m.sent_at desc limit ${MAX_TOTAL + 1}) m
        limit ${MAX_TOTAL + 1}) m`,
    values: [filter.number, filter.reason, ...ageValues(filter.age)],
    read: readTotal,
  })
  return run(db, statement)
}
