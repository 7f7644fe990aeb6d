import {
  bigintArray,
  boolArray,
  byteaArray,
  intArray,
  jsonArray,
  textArray,
  timestamptzArray,
  uuidArray,
} from './arrays.ts'

type Maybe<T> = T | null | undefined

/** One column of a set of rows: its PostgreSQL type, and how its values become one binary array parameter. */
export type Column<Row> = { type: string; array: (rows: Row[]) => Buffer }

/**
 * The columns of a set-based statement, described once, so that names, order and types cannot drift apart. Text is
 * built when a module loads: a prepared statement needs the same text each time.
 */
export type Columns<Row> = {
  /** The names, in order: a column list of an `insert` or a `select`. */
  names: string
  /**
   * The set as a table: `unnest($1::text[], ...) as alias(org_id, ...)`. Its arrays are the parameters from `first` on,
   * by default 1. With `ordinality`, a last column of that name counts the rows from 1.
   */
  as(alias: string, options?: { first?: number; ordinality?: string }): string
  /** The parameters for these rows, one array for each column. */
  values(rows: Row[]): Buffer[]
}

/** Describes columns by name; see `text`, `uuid` and the others. */
export function columns<Row>(described: Record<string, Column<Row>>): Columns<Row> {
  const names = Object.keys(described)
  const list = Object.values(described)
  return {
    names: names.join(', '),
    as(alias, { first = 1, ordinality } = {}) {
      const arrays = list.map(({ type }, i) => `$${i + first}::${type}[]`).join(', ')
      const counted = ordinality === undefined ? names : [...names, ordinality]
      return `unnest(${arrays})${ordinality === undefined ? '' : ' with ordinality'} as ${alias}(${counted.join(', ')})`
    },
    values: (rows) => list.map(({ array }) => array(rows)),
  }
}

/** A `text` column. */
export const text = column('text', textArray)
/** A `uuid` column. */
export const uuid = column('uuid', uuidArray)
/** A `timestamptz` column. */
export const timestamptz = column('timestamptz', timestamptzArray)
/** A `bigint` column of safe integers. */
export const bigint = column('bigint', bigintArray)
/** A `boolean` column. */
export const bool = column('boolean', boolArray)
/** An `int` column. */
export const int = column('int', intArray)
/** A `json` column, of JSON texts. */
export const json = column('json', jsonArray)
/** A `bytea` column. */
export const bytea = column('bytea', byteaArray)

function column<T>(type: string, encode: (values: Maybe<T>[]) => Buffer) {
  return <Row>(pick: (row: Row) => Maybe<T>): Column<Row> => ({
    type,
    array: (rows) => encode(rows.map((row) => pick(row))),
  })
}
