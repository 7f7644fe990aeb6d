import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Database } from '../../../../src/db/client.ts'
import { migrate } from '../../../../src/db/migrate.ts'
import * as schema from '../../../../src/db/schema/index.ts'

export type LabDatabase = { url: string } & Database

/** The wamids of messages that the database of a lab refuses begin like this. */
export const REFUSED = 'wamid.REFUSED.'

let databases = 0

/** A migrated, empty database of its own on a server, and a pool past the proxies for those who look on from outside. */
export async function createLabDatabase(serverUrl: string): Promise<LabDatabase> {
  databases += 1
  const name = `lab_${process.pid}_${databases}`
  await runOn(serverUrl, `create database ${name}`)
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  await migrate(url)
  await recordInsertTimes(url)
  await refuseSome(url)
  // Usher's own pools have deadlines and planner settings, which would hinder the checks: they read whole tables.
  const pool = new pg.Pool({
    pipeline: true,
    connectionString: url,
    max: 6,
    application_name: 'lab',
    connectionTimeoutMillis: 3_000,
  })
  // A fault may cut these connections too; the next query then opens another.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return { url, db: drizzle(pool, { schema }), close: () => pool.end() }
}

/** Records when each message was inserted, to measure recovery; no statement of Usher's knows of the column. */
async function recordInsertTimes(url: string): Promise<void> {
  await runOn(
    url,
    `alter table messages add column lab_written_at timestamptz default clock_timestamp();
     create index on messages (lab_written_at) where direction = 'in'`,
  )
}

/** Refuses some messages for good, as PostgreSQL refuses content that Usher should have cleaned. */
async function refuseSome(url: string): Promise<void> {
  await runOn(
    url,
    `create function lab_refuse() returns trigger language plpgsql as $$
       begin raise exception 'refused by the lab' using errcode = '22023'; end $$;
     create trigger lab_refuse before insert on messages for each row
       when (new.wamid like '${REFUSED}%') execute function lab_refuse()`,
  )
}

async function runOn(url: string, statements: string): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query(statements)
  } finally {
    await client.end()
  }
}
