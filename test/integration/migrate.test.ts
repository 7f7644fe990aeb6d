import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runMigrations } from 'bullmq'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { sqlState, violatedConstraint } from '../../src/db/pg-errors.ts'
import { projectRoot } from '../../src/project-root.ts'
import { createTestDatabase } from '../support/database.ts'

const emptyDatabase = 'test_migrate'
const emptyUrl = Object.assign(new URL(inject('postgresUrl')), { pathname: `/${emptyDatabase}` }).href
const server = new pg.Client(inject('postgresUrl'))

beforeAll(() => server.connect())
afterAll(() => server.end())

describe('migrate', () => {
  let client: pg.Client

  beforeAll(async () => {
    await server.query(`create database ${emptyDatabase}`)
    client = new pg.Client(emptyUrl)
    await client.connect()
  })
  afterAll(async () => {
    await client.end()
    await server.query(`drop database ${emptyDatabase} with (force)`)
  })

  const schemaNow = async () => {
    const { rows } = await client.query(
      `select nspname || '.' || relname as name, c.oid from pg_class c join pg_namespace n on n.oid = relnamespace
       where nspname in ('public', 'drizzle', 'bullmq') order by 1`,
    )
    return rows as { name: string; oid: number }[]
  }

  test('ten migrations of an empty database at the same time leave one complete schema', async () => {
    await Promise.all(Array.from({ length: 10 }, () => migrate(emptyUrl)))

    const names = (await schemaNow()).map((row) => row.name)
    expect(names).toEqual(
      expect.arrayContaining(['public.inbox', 'public.chatrooms_one_active', 'bullmq.job']),
    )
    const journal = JSON.parse(readFileSync(join(projectRoot(), 'drizzle/meta/_journal.json'), 'utf8'))
    const applied = await client.query('select created_at from drizzle.__drizzle_migrations order by 1')
    expect(applied.rows.map((row) => Number(row.created_at))).toEqual(
      journal.entries.map((entry: { when: number }) => entry.when),
    )
    const bullmq = await client.query('select max(version) as version from bullmq.migration')
    expect(bullmq.rows[0].version).toBe(await runMigrations(client))
  })

  test('a second migration changes nothing', async () => {
    const before = await schemaNow()
    await migrate(emptyUrl)
    expect(await schemaNow()).toEqual(before)
  })

  test('a migration waits while another one holds the lock', async () => {
    const { rows } = await client.query(`select pg_advisory_lock(${0x55534852})`)
    expect(rows).toHaveLength(1)
    let done = false
    const waiting = migrate(emptyUrl).then(() => {
      done = true
    })
    await expect.poll(waitsForLock).toBe(true)
    expect(done).toBe(false)
    await client.query(`select pg_advisory_unlock(${0x55534852})`)
    await waiting
  })

  const waitsForLock = async () => {
    const waiters = await client.query(
      `select 1 from pg_stat_activity where application_name = 'usher-migrate' and wait_event_type = 'Lock'`,
    )
    return waiters.rowCount === 1
  }

  test('a migration names an unreachable server in its error, without the password', async () => {
    const failure = migrate('postgres://usher:secret@127.0.0.1:1/nowhere')
    await expect(failure).rejects.toThrow(
      /^cannot connect to PostgreSQL at 127\.0\.0\.1:1\/nowhere: .*REFUSED/,
    )
    await expect(failure).rejects.not.toThrow(/secret/)
  })
})

describe('the schema', async () => {
  const { pool } = await createTestDatabase()

  const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
  const addContact = (n: number) =>
    pool.query(`insert into contacts (org_id, id, customer_id, crm_id) values ('o', $1, $2, $3)`, [
      uuid(n),
      uuid(1),
      `crm-${n}`,
    ])
  const addChatroom = (n: number) =>
    pool.query(
      `insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name)
       values ('o', $1, $1, $2, 'phone', 'room')`,
      [uuid(n), uuid(1)],
    )
  const refusal = async (statement: Promise<unknown>) => {
    const error = await statement.then(
      () => undefined,
      (e: unknown) => e,
    )
    return { state: sqlState(error), constraint: violatedConstraint(error) }
  }

  beforeAll(async () => {
    await pool.query(`insert into orgs (id, name) values ('o', 'Org')`)
    await pool.query(`insert into wabas (org_id, id, name) values ('o', 'waba', 'WABA')`)
    await pool.query(
      `insert into waba_phones (org_id, id, waba_id, display_phone_number) values ('o', 'phone', 'waba', '+49 1')`,
    )
    await pool.query(`insert into customers (org_id, id) values ('o', $1)`, [uuid(1)])
    await Promise.all([1, 2, 3].map(addContact))
    await addChatroom(1)
  })

  test('refuses a second active chatroom for the same customer and number', async () => {
    expect(await refusal(addChatroom(2))).toEqual({ state: '23505', constraint: 'chatrooms_one_active' })
  })

  test('accepts a second chatroom once the first is deactivated, and then refuses that the first becomes active', async () => {
    await pool.query(`update chatrooms set deactivated_at = now() where id = $1`, [uuid(1)])
    await addChatroom(2)
    const reactivation = pool.query(`update chatrooms set deactivated_at = null where id = $1`, [uuid(1)])
    expect(await refusal(reactivation)).toEqual({ state: '23505', constraint: 'chatrooms_one_active' })
  })

  test.each(['chatrooms', 'contacts'])('refuses that an expiry in %s is undone or moved', async (table) => {
    await pool.query(`update ${table} set expired_at = now() where id = $1`, [uuid(1)])
    const final = { state: '23514', constraint: 'expired_is_final' }
    for (const value of ['null', `now() + interval '1 day'`]) {
      const change = pool.query(`update ${table} set expired_at = ${value} where id = $1`, [uuid(1)])
      expect(await refusal(change)).toEqual(final)
    }
  })
})
