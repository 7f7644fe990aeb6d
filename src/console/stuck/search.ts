import { count } from '../ui/format.ts'

/** Rows of a list that were found, and the last row that was looked at, if there is more behind it. */
export type Found<Row> = { rows: Row[]; last: Row | undefined }

/** A row of a statement made by `judgedSql`. */
export type Judged = { fits: boolean; place: number }

/** A page looks at this many rows at most, which are those of one org or are shared by all of them. */
const SEARCHED = 5_000
const SEARCHED_IN_ALL = 20_000

/**
 * How many rows of each org a page of `size` rows looks at: what a filter wants may be rare, so the search has a limit, and
 * the next page goes on behind it.
 */
export function searchedRows(size: number, isFiltered: boolean, orgs = 1): number {
  if (!isFiltered) return size + 1
  return Math.max(size + 1, Math.min(SEARCHED, Math.floor(SEARCHED_IN_ALL / Math.max(1, orgs))))
}

/**
 * SQL: the first `size` + 1 rows of the query `searched` that fit, in its order, and the last one of it if it is full. The
 * parameters `limits` are the numbers of rows that it may give, and that the list shows.
 */
export function judgedSql(
  searched: string,
  { fits, order, limits: [most, size] }: { fits: string; order: string; limits: [string, string] },
): string {
  return `(select * from (select *, ${fits} as fits, (row_number() over (order by ${order}))::int as place
      from (${searched}) s) j
    where fits or place = ${most} order by place limit ${size} + 1)`
}

/** The page of a statement made by `judgedSql`. */
export function toFound<Row extends Judged>(rows: Row[], size: number, most: number): Found<Row> {
  const fitting = rows.filter(({ fits }) => fits)
  const page = fitting.slice(0, size)
  if (fitting.length > size) return { rows: page, last: page.at(-1) }
  return { rows: page, last: rows.find(({ place }) => place === most) }
}

/** How many rows fit, among so many that were looked at. */
export type Total = { found: number; searched: number }

/** A total looks at this many rows at most, so it is cheap however long the list is. */
export const MAX_TOTAL = 10_000

/** A total in words: `1,234`, `10,000+`, or `7 of the first 10,000` where a filter has not looked at all. */
export function totalText({ found, searched }: Total): string {
  if (searched <= MAX_TOTAL) return count(found)
  return found > MAX_TOTAL ? `${count(MAX_TOTAL)}+` : `${count(found)} of the first ${count(MAX_TOTAL)}`
}

/** A total that was counted to its end or to 10,001; null for any other. */
export function knownTotal({ found, searched }: Total): number | null {
  return searched <= MAX_TOTAL || found > MAX_TOTAL ? found : null
}

/** Reader of a statement that gives a total. */
export function readTotal([row]: Total[]): Total {
  return row ?? { found: 0, searched: 0 }
}
