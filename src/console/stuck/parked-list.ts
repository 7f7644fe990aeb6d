import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'
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

/** A delivery that waits for a number or WABA (`phone:<id>` or `waba:<id>`). */
export type ParkedDelivery = { id: number; waitsFor: string; receivedAt: Date; bytes: number }

/** A place in the list: what is waited for, and the id. */
export const parkedPlace = z.tuple([z.string(), z.int().min(0)])

type Asked = { filter: StuckFilter; before?: z.infer<typeof parkedPlace> | undefined; size: number }
type Row = ParkedDelivery & Judged

const FITS = ageSql('received_at', ['$1', '$2'])
const ORDER = 'parked_for, id'

/** SQL: what is waited for. Two texts, because PostgreSQL uses the index for no condition that may be absent. */
const waitsSql = (waits: string | undefined) => (waits === undefined ? '$3::text is null' : 'parked_for = $3')
const nameOf = (name: string, waits: string | undefined) => (waits === undefined ? name : `${name}-for`)

const searchedSql = (
  waits: string | undefined,
) => `select id, parked_for, received_at, octet_length(body) as bytes
  from inbox where state = 'parked' and ${waitsSql(waits)} and (parked_for, id) > ($4::text, $5::bigint)
  order by ${ORDER} limit $6`

/** A page of the parked deliveries that fit the filter, by what they wait for, then the oldest first. */
export function listParked(db: Db, { filter, before, size }: Asked): Promise<Found<ParkedDelivery>> {
  const { waits, age } = filter
  const most = searchedRows(size, age !== undefined)
  const [waitsFor = '', id = 0] = before ?? []
  return run(db, {
    name: nameOf('console-parked', waits),
    text: `select id::float8 as id, parked_for as "waitsFor", received_at as "receivedAt", bytes, fits, place
      from ${judgedSql(searchedSql(waits), { fits: FITS, order: ORDER, limits: ['$6', '$7'] })} p order by place`,
    values: [...ageValues(age), waits, waitsFor, id, most, size],
    read: (rows: Row[]) => toFound(rows, size, most),
  })
}

/** How many parked deliveries fit the filter. */
export function countParked(db: Db, { waits, age }: StuckFilter): Promise<Total> {
  return run(db, {
    name: nameOf('console-total-parked', waits),
    text: `select count(*) filter (where ${FITS})::int as found, count(*)::int as searched from (
        select received_at from inbox where state = 'parked' and ${waitsSql(waits)}
        order by ${ORDER} limit ${MAX_TOTAL + 1}) p`,
    values: [...ageValues(age), waits],
    read: readTotal,
  })
}

/** A number or WABA, how many deliveries wait for it, and since when. */
export type ParkedGroup = { waitsFor: string; deliveries: number; since: Date }

/** Groups the first 10,000 parked deliveries by what they wait for; returns the 50 largest groups. */
export function listParkedGroups(db: Db): Promise<ParkedGroup[]> {
  return run(db, {
    name: 'console-parked-groups',
    text: `select parked_for as "waitsFor", count(*)::int as deliveries, min(received_at) as since
      from (select parked_for, received_at from inbox where state = 'parked' order by parked_for, id limit ${MAX_TOTAL}) p
      group by parked_for order by deliveries desc, parked_for limit 50`,
    values: [],
    read: allRows<ParkedGroup>,
  })
}
