import { expect, it } from 'vitest'
import { countPendingMigrations } from '../../src/db/count-pending-migrations.ts'
import { migrate } from '../../src/db/migrate.ts'
import { sqlState } from '../../src/db/pg-errors.ts'
import { proveSchema } from '../../src/db/prove-schema.ts'
import { createFormerDatabase, FORMER_PHONE, MIGRATIONS, migrateTo } from '../support/former-schema.ts'
import { monthOf, partitionOf } from '../support/ledger.ts'

const LEDGER = MIGRATIONS.indexOf('0024_ledger_by_month')
const MESSAGES = 4_000
const now = new Date()

/** Messages of the last five months and of 1970, of about 2 kB each, so that the move takes several steps. */
async function createFormerLedger() {
  const database = await createFormerDatabase((url) => migrateTo(url, LEDGER))
  await database.pool.query(
    `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
     select 'org', 'w' || n, $1, 'in', 'text',
       case when n = 7 then '1970-01-01' else $2::timestamptz - (n % 5) * interval '1 month' end, now(), n, 'x',
       json_build_object('text', (select string_agg(md5(n || ' ' || k), '') from generate_series(1, 55) k))
     from generate_series(1, ${MESSAGES}) n`,
    [FORMER_PHONE, new Date(monthOf(now).getTime() + 1)],
  )
  return database
}

const DIGEST = `select count(*)::int as count, md5(string_agg(m::text, '' order by wamid)) as digest from`

it('a move of messages that is killed is gone on with, loses and doubles nothing, and nothing else writes meanwhile', async () => {
  const { pool, url, db } = await createFormerLedger()
  const { rows: before } = await pool.query(`${DIGEST} messages m`)
  await migrateTo(url, LEDGER + 1)
  // The move meets a row that somebody holds, some steps on.
  const holder = await pool.connect()
  await holder.query(`begin; select from messages_unmoved where wamid = 'w${MESSAGES - 1}' for update`)
  const killed = migrate(url)
  const refused = expect(killed).rejects.toThrow()
  const waiting = () =>
    pool.query(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'usher-migrate'
         and wait_event_type = 'Lock'`,
    )
  await expect.poll(async () => (await waiting()).rowCount).toBe(1)
  await pool.query('select pg_terminate_backend($1)', [(await waiting()).rows[0].pid])
  await refused
  await holder.query('commit')
  holder.release()

  const { rows: moved } = await pool.query('select count(*)::int as count from messages')
  expect(moved[0].count).toBeGreaterThan(0)
  expect(moved[0].count).toBeLessThan(MESSAGES)
  expect(await countPendingMigrations(db)).toBeGreaterThan(0)
  await expect(proveSchema(db)).rejects.toThrow(/npm run migrate/)
  const error = await pool.query(`update messages set reason = 'y'`).catch((e) => e)
  expect(sqlState(error)).toBe('55006')

  const lines: string[] = []
  await migrate(url, (line) => lines.push(line))
  expect(lines.at(-1)).toMatch(/^Messages moved into partitions: \d+\. The old table is gone\.$/)
  const { rows: after } = await pool.query(`${DIGEST} messages m`)
  expect(after).toEqual(before)
  const { rows: counts } = await pool.query(
    'select tableoid::regclass::text as name, count(*)::int as count from messages group by 1 order by 1',
  )
  expect(counts.map(({ name }) => name)).toEqual([
    ...[-4, -3, -2, -1, 0].map((months) => partitionOf(monthOf(now, months))),
    'messages_default',
  ])
  expect(await countPendingMigrations(db)).toBe(0)
  await pool.query(`update messages set reason = 'y' where wamid = 'w1'`)
})

it('a ledger without messages is not moved', async () => {
  const { pool, url } = await createFormerDatabase((former) => migrateTo(former, LEDGER))
  await migrateTo(url, LEDGER + 1)
  const { rows } = await pool.query(`select to_regclass('messages_unmoved') as unmoved`)
  expect(rows[0].unmoved).toBeNull()
})

it('the new table keeps the rights of the old one', async () => {
  const { pool, url } = await createFormerDatabase((former) => migrateTo(former, LEDGER))
  const role = `ledger_reader_${process.pid}`
  await pool.query(`create role ${role}; grant select, insert on messages to ${role}`)
  try {
    await migrate(url)
    const { rows } = await pool.query(
      `select has_table_privilege($1, t, 'select') and has_table_privilege($1, t, 'insert') as may,
         has_table_privilege($1, t, 'delete') as "mayDelete" from unnest(array['messages', 'messages_default']) t`,
      [role],
    )
    expect(rows).toEqual([
      { may: true, mayDelete: false },
      { may: true, mayDelete: false },
    ])
  } finally {
    await pool.query(`drop owned by ${role}; drop role ${role}`)
  }
})
