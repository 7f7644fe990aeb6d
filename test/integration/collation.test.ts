import { getTableColumns, getTableName, is } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { expect, it } from 'vitest'
import * as schema from '../../src/db/schema/index.ts'
import { createTestDatabase } from '../support/database.ts'

const { pool } = await createTestDatabase()
const BY_BYTES = `'pg_catalog."C"'::regcollation`

it('every text in an index is compared by its bytes, whatever the collation of the database', async () => {
  const { rows } = await pool.query<{ found: string }>(
    `select distinct t.relname || ': ' || pg_get_indexdef(i.indexrelid, k.n::int, true) as found
     from pg_index i join pg_class t on t.oid = i.indrelid
     cross join lateral unnest(i.indcollation::oid[]) with ordinality k(comparison, n)
     where t.relnamespace = 'public'::regnamespace and k.comparison not in (0, ${BY_BYTES})`,
  )
  expect(rows.map(({ found }) => found)).toEqual([])
})

it('the schema in the code says the same, so that no migration undoes it', async () => {
  const { rows } = await pool.query<{ name: string }>(
    `select t.relname || '.' || a.attname as name from pg_attribute a join pg_class t on t.oid = a.attrelid
     where t.relnamespace = 'public'::regnamespace and t.relkind in ('r', 'p') and not t.relispartition
       and a.attcollation = ${BY_BYTES}`,
  )
  const tables = Object.values(schema).filter((one) => is(one, PgTable))
  const said = tables.flatMap((table) =>
    Object.values(getTableColumns(table))
      .filter((column) => column.getSQLType().endsWith(' COLLATE "C"'))
      .map(({ name }) => `${getTableName(table)}.${name}`),
  )
  expect(rows.map(({ name }) => name).sort()).toEqual(said.sort())
})
