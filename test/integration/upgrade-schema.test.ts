import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { MIGRATIONS, migrateTo } from '../support/former-schema.ts'

type Column = { name: string; type: string; isRequired: boolean }
type Schema = { columns: Map<string, Column>; tables: Set<string>; uniques: Map<string, string> }

/**
 * What earlier migrations took from the version before them, when nothing had been released. Nothing is added here: an
 * upgrade runs while the former version is at work, and that version may be started again.
 */
const BEFORE_THE_FIRST_RELEASE = [
  // One message of a pair is on its way at a time; a former version would be refused the claim of a second one.
  '0010_sending_order: outbox (customer_id,org_id,waba_phone_id) must be unique',
]

const { pool, url } = await createTestDatabase()

async function readSchema(): Promise<Schema> {
  const { rows: columns } = await pool.query<Column & { table: string }>(
    `select table_name as table, table_name || '.' || column_name as name, udt_name as type,
      is_nullable = 'NO' and column_default is null and is_generated = 'NEVER' and is_identity = 'NO' as "isRequired"
     from information_schema.columns where table_schema = 'public'`,
  )
  const { rows: uniques } = await pool.query<{ table: string; columns: string }>(
    `select c.relname as table, pg_get_indexdef(i.indexrelid, 0, true) as definition,
      (select string_agg(a.attname, ',' order by a.attname) from pg_attribute a
       where a.attrelid = c.oid and a.attnum = any(i.indkey::int2[])) as columns
     from pg_index i join pg_class c on c.oid = i.indrelid
     where i.indisunique and c.relnamespace = 'public'::regnamespace`,
  )
  return {
    columns: new Map(columns.map((one) => [one.name, one])),
    tables: new Set(columns.map(({ table }) => table)),
    uniques: new Map(uniques.map((one) => [`${one.table} (${one.columns})`, one.table])),
  }
}

/** What a version that knows `before` only could not read or write any more. */
function listBreaks(before: Schema, after: Schema): string[] {
  const gone = [...before.columns.keys()].filter((name) => !after.columns.has(name))
  const changed = [...before.columns.values()].filter(
    ({ name, type }) => (after.columns.get(name)?.type ?? type) !== type,
  )
  const ofOldTables = [...after.columns.values()].filter(({ name }) => before.tables.has(name.split('.')[0]!))
  const required = ofOldTables.filter(
    ({ name, isRequired }) => isRequired && !before.columns.get(name)?.isRequired,
  )
  const unique = [...after.uniques].filter(([index, table]) => {
    const columns = index.slice(table.length + 2, -1).split(',')
    return !before.uniques.has(index) && columns.every((column) => before.columns.has(`${table}.${column}`))
  })
  return [
    ...gone.map((name) => `${name} is gone`),
    ...changed.map(({ name }) => `${name} has another type`),
    ...required.map(({ name }) => `${name} must be given`),
    ...unique.map(([index]) => `${index} must be unique`),
  ]
}

it('no migration takes from the version before it a column, a type or a way to write', async () => {
  await pool.query('drop schema public, drizzle, bullmq cascade; create schema public')
  const breaks: string[] = []
  let before: Schema | undefined
  for (const [i, name] of MIGRATIONS.entries()) {
    await migrateTo(url, i + 1)
    const after = await readSchema()
    if (before) breaks.push(...listBreaks(before, after).map((what) => `${name}: ${what}`))
    before = after
  }
  expect(breaks).toEqual(BEFORE_THE_FIRST_RELEASE)
})
