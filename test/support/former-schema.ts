import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { projectRoot } from '../../src/project-root.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

const FOLDER = join(projectRoot(), 'drizzle')
const JOURNAL = 'meta/_journal.json'

type Journal = { entries: { tag: string }[] }

const readJournal = () => JSON.parse(readFileSync(join(FOLDER, JOURNAL), 'utf8')) as Journal

/** The names of all migrations, in their order. */
export const MIGRATIONS = readJournal().entries.map(({ tag }) => tag)

/** Applies the first `count` migrations to a database, those of a former version, as that version did. */
export async function migrateTo(url: string, count: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'usher-former-'))
  cpSync(FOLDER, folder, { recursive: true })
  const journal = readJournal()
  writeFileSync(
    join(folder, JOURNAL),
    JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }),
  )
  const client = new pg.Client(url)
  await client.connect()
  try {
    await migrate(drizzle(client), { migrationsFolder: folder })
  } finally {
    await client.end()
    rmSync(folder, { recursive: true })
  }
}

/** Applies the migrations of the version before the last migration. */
export const migrateToFormer = (url: string) => migrateTo(url, MIGRATIONS.length - 1)

export const FORMER_CUSTOMERS = 20
export const FORMER_PHONE = 'phone-of-the-former-version'

/** The phone of a customer of `createFormerDatabase`, and the id of its active chatroom. */
export function formerCustomer(n: number) {
  const id = (kind: number) => `01930000-000${kind}-7000-8000-${String(n).padStart(12, '0')}`
  return { phone: `${1555444_0000 + n}`, customer: id(1), contact: id(2), room: id(3) }
}

/**
 * A database that a former version has migrated, with rows that any version knows: an org with a number, and customers
 * with active chatrooms there.
 */
export async function createFormerDatabase(
  migrate: (url: string) => Promise<unknown>,
): Promise<TestDatabase> {
  const database = await createTestDatabase()
  const { pool, url } = database
  await pool.query('drop schema public, drizzle, bullmq cascade; create schema public')
  await migrate(url)
  await pool.query(`
    insert into orgs (id, name) values ('org', 'Org');
    insert into wabas (org_id, id, name) values ('org', 'waba', 'WABA');
    insert into waba_phones (org_id, id, waba_id, display_phone_number) values ('org', '${FORMER_PHONE}', 'waba', '+1 1');
    insert into meta_objects (kind, id, org_id) values ('phone', '${FORMER_PHONE}', 'org'), ('waba', 'waba', 'org')`)
  for (let n = 0; n < FORMER_CUSTOMERS; n += 1) {
    const { phone, customer, contact, room } = formerCustomer(n)
    await pool.query(`
      insert into customers (org_id, id) values ('org', '${customer}');
      insert into customer_aliases (org_id, kind, value, customer_id)
        values ('org', 'phone', '+${phone}', '${customer}'), ('org', 'wa_id', '${phone}', '${customer}');
      insert into contacts (org_id, id, customer_id, crm_id, phone)
        values ('org', '${contact}', '${customer}', 'crm-${n}', '+${phone}');
      insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name)
        values ('org', '${room}', '${contact}', '${customer}', '${FORMER_PHONE}', 'Room')`)
  }
  return database
}
