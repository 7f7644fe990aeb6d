import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Database } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import * as schema from '../../../src/db/schema/index.ts'

let databases = 0

/** A migrated, empty database of its own on a server, and a patient pool for whoever looks on from outside. */
export async function createLabDatabase(serverUrl: string): Promise<{ url: string } & Database> {
  databases += 1
  const name = `lab_${process.pid}_${databases}`
  const client = new pg.Client(serverUrl)
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  await migrate(url)
  await noteInsertTimes(url)
  // Without the deadlines and plans that Usher's own pools have: the checker reads whole tables.
  const pool = new pg.Pool({
    connectionString: url,
    max: 6,
    application_name: 'lab',
    connectionTimeoutMillis: 3_000,
  })
  pool.on('error', () => undefined)
  pool.on('connect', (one) => one.on('error', () => undefined))
  return { url, db: drizzle(pool, { schema }), close: () => pool.end() }
}

/** When each message was written, for measuring recovery; no statement of Usher's knows of the column. */
async function noteInsertTimes(url: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(`
    alter table messages add column lab_written_at timestamptz default clock_timestamp();
    create index on messages (lab_written_at) where direction = 'in'`)
  await client.end()
}
