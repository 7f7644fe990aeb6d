import { expect, it } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { countStrays } from '../../src/messages/count-strays.ts'
import { keepMonths } from '../../src/messages/keep-months.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { insertMessage, monthOf, partitionOf, partitionsOf } from '../support/ledger.ts'
import { createOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const now = new Date()

async function partitions(pool: { query(text: string): Promise<{ rows: { name: string }[] }> }) {
  const { rows } = await pool.query(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'messages'::regclass order by 1`,
  )
  return rows.map(({ name }) => name)
}

it('the partitions of the last month to the second next are there, and each is unique by wamid', async () => {
  const { db, pool } = await createTestDatabase()
  await keepMonths(db, now)
  expect(await partitions(pool)).toEqual([
    ...[-1, 0, 1, 2].map((months) => partitionOf(monthOf(now, months))),
    'messages_default',
  ])
  const { rows } = await pool.query(
    `select count(*)::int as keys from pg_constraint where contype = 'p' and conrelid::regclass::text ~ '^messages_'
       and pg_get_constraintdef(oid) = 'PRIMARY KEY (org_id, wamid)'`,
  )
  expect(rows[0].keys).toBe(4)
})

it('processes that make partitions at the same time make each once', async () => {
  const { db, pool } = await createTestDatabase()
  const later = monthOf(now, 12)
  const made = await Promise.all(Array.from({ length: 5 }, () => keepMonths(db, later)))
  // One that finds another at work leaves the rest to it.
  for (let more = true; more; ) more = (await keepMonths(db, later)).made > 0
  expect(made.reduce((sum, one) => sum + one.made, 0)).toBeGreaterThan(0)
  const expected = [-1, 0, 1, 2].map((months) => partitionOf(monthOf(later, months)))
  expect((await partitions(pool)).filter((name) => expected.includes(name))).toEqual(expected)
})

it('messages of months whose partition was not made in time move into it, and are counted until then', async () => {
  const { db, pool } = await createTestDatabase()
  const org = await createOrg(db)
  for (const months of [-5, -4, -4, 0]) {
    await insertMessage(pool, org, {
      wamid: `w${Math.random()}`,
      at: new Date(monthOf(now, months).getTime() + 1),
    })
  }
  await insertMessage(pool, org, { wamid: 'far', at: new Date('1970-01-02') })
  expect(await countStrays(db)).toEqual({ due: 3, far: 1 })
  expect((await keepMonths(db, now)).made).toBeGreaterThanOrEqual(2)
  expect(await countStrays(db)).toEqual({ due: 0, far: 1 })
  expect(await partitionsOf(pool, org)).toEqual({
    [partitionOf(monthOf(now, -5))]: 1,
    [partitionOf(monthOf(now, -4))]: 2,
    [partitionOf(now)]: 1,
    messages_default: 1,
  })
})

it('a month with very many messages in the default partition is left to the migration, which moves them', async () => {
  const { db, pool, url } = await createTestDatabase()
  const org = await createOrg(db)
  const at = monthOf(now, -6)
  await pool.query(
    `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
     select $1, n, 'p', 'in', 'text', $2, now(), n, '', '{}' from generate_series(1, 10001) n`,
    [org.id, at],
  )
  await keepMonths(db, now)
  expect(await partitionsOf(pool, org)).toEqual({ messages_default: 10_001 })
  await migrate(url)
  expect(await partitionsOf(pool, org)).toEqual({ [partitionOf(at)]: 10_001 })
})

it('a partition is made later, and routing does not wait for it, while a transaction holds what it needs', async () => {
  const { db, pool } = await createTestDatabase()
  const org = await createOrg(db)
  const later = monthOf(now, 3)
  const client = await pool.connect()
  await client.query('begin; lock table chatrooms in row exclusive mode')
  expect(await keepMonths(db, later)).toEqual({ made: 0 })
  const { messages } = await deliver(db, post(org.phones[0]!, message({})))
  expect(messages).toHaveLength(1)
  await client.query('commit')
  client.release()
  expect((await keepMonths(db, later)).made).toBeGreaterThan(0)
})
