import { z } from 'zod'
import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'
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

/** A dead letter of the list: its error is shortened. */
export type ListedLetter = { id: number; receivedAt: Date; error: string; bytes: number }

/** A place in the list: the time of receipt in milliseconds, and the id. */
export const deadPlace = z.tuple([z.int().min(0), z.int().min(0)])

type Asked = { filter: StuckFilter; before?: z.infer<typeof deadPlace> | undefined; size: number }
type Row = ListedLetter & Judged

const FITS = '($1::text is null or position(lower($1) in lower(error)) > 0)'
const DEAD = `state = 'dead' and ${ageSql('received_at', ['$2', '$3'])}`
const ORDER = 'received_at desc, id desc'
const SEARCHED = `select id, received_at, error, octet_length(body) as bytes from inbox
  where ${DEAD} and (received_at, id) < ($4::timestamptz, $5::bigint) order by ${ORDER} limit $6`

/** A page of the dead letters that fit the filter, the newest first. */
export function listDead(db: Db, { filter, before, size }: Asked): Promise<Found<ListedLetter>> {
  const { reason, age } = filter
  const most = searchedRows(size, reason !== undefined)
  const [ms, id = 0] = before ?? []
  return run(db, {
    name: 'console-dead',
    text: `select id::float8 as id, received_at as "receivedAt", left(error, 300) as error, bytes, fits, place
      from ${judgedSql(SEARCHED, { fits: FITS, order: ORDER, limits: ['$6', '$7'] })} d order by place`,
    values: [reason, ...ageValues(age), ms === undefined ? 'infinity' : new Date(ms), id, most, size],
    read: (rows: Row[]) => toFound(rows, size, most),
  })
}

/** How many dead letters fit the filter. */
export function countDead(db: Db, { reason, age }: StuckFilter): Promise<Total> {
  return run(db, {
    name: 'console-total-dead',
    text: `select count(*) filter (where ${FITS})::int as found, count(*)::int as searched from (
        select error from inbox where ${DEAD} order by ${ORDER} limit ${MAX_TOTAL + 1}) d`,
    values: [reason, ...ageValues(age)],
    read: readTotal,
  })
}
