import type { Db } from '../../src/db/client.ts'

type Column = { table: string; columns: string[] }

/** All rows of all tables of a database as text, bytes as the text they are, table by table, as `pg_dump` would have them. */
export async function dumpDatabase(db: Db): Promise<string> {
  const { rows } = await db.$client.query<Column>(
    `select format('%I.%I', n.nspname, c.relname) as table, array_agg(
        case when t.typname = 'bytea' then format('encode(%I, ''escape'')', a.attname) else format('%I::text', a.attname) end
        order by a.attnum) as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      join pg_type t on t.oid = a.atttypid
      where c.relkind = 'r' and n.nspname !~ '^(pg_|information_schema)' group by 1 order by 1`,
  )
  const texts = await Promise.all(
    rows.map(async ({ table, columns }) => {
      const found = await db.$client.query<{ row: string }>(
        `select concat_ws(E'\\t', ${columns.join(', ')}) as row from ${table}`,
      )
      return found.rows.map(({ row }) => `${table}\t${row}\n`).join('')
    }),
  )
  return texts.join('')
}

/** The lines of a dump that have one of these texts, whether or not in capitals. */
export function linesWith(dump: string, texts: string[]): string[] {
  const wanted = texts.map((text) => text.toLowerCase())
  return dump.split('\n').filter((line) => wanted.some((text) => line.toLowerCase().includes(text)))
}
