import type { Pool } from 'pg'
import { describe, expect, it } from 'vitest'
import { retentionCommand } from '../../src/cli/retention.ts'
import type { Database } from '../../src/db/client.ts'
import { keepMonths } from '../../src/messages/keep-months.ts'
import { applyRetention } from '../../src/retention/apply-retention.ts'
import { longestEventDays, readRetention } from '../../src/retention/read-retention.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { insertMessage, partitionOf } from '../support/ledger.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { runCommand } from '../support/run-command.ts'
import { ago } from '../support/time.ts'

type Db = Database['db']
const apply = (db: Db, dryRun = false) => applyRetention(db, { eventRetentionDays: 30, dryRun })

/** Messages of these ages in days, whose wamids are their ages. */
async function fill(db: Db, org: TestOrg, ...ages: number[]) {
  const room = await createRoom(db, org)
  for (const age of ages) {
    const inRoom = age % 2 === 0 ? { roomId: room.id, customerId: room.customerId } : {}
    await insertMessage(db.$client, org, { wamid: String(age), at: ago(age), ...inRoom })
  }
  while ((await keepMonths(db, new Date())).made > 0);
}

async function agesOf(db: Db, org: TestOrg): Promise<number[]> {
  const { rows } = await db.$client.query('select wamid from messages where org_id = $1', [org.id])
  return rows.map(({ wamid }) => Number(wamid)).sort((a, b) => a - b)
}

const countOf = async (db: Db, org: TestOrg, dryRun = false) => {
  const { orgs } = await apply(db, dryRun)
  const { messages, events } = orgs.find(({ orgId }) => orgId === org.id)!
  return { messages, events }
}

describe('the retention of an org', () => {
  it('deletes the messages of whole UTC days that are older, whichever their chatroom, and nothing of other orgs', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db, { retention_days: 40 })
    const other = await createOrg(db)
    for (const one of [org, other]) await fill(db, one, 1, 38, 39, 42, 43, 100, 401)
    expect(await countOf(db, org, true)).toEqual({ messages: 4, events: 0 })
    expect(await agesOf(db, org), 'counting changes nothing').toHaveLength(7)
    expect(await countOf(db, org)).toEqual({ messages: 4, events: 0 })
    expect(await agesOf(db, org)).toEqual([1, 38, 39])
    expect(await agesOf(db, other)).toHaveLength(7)
    expect(await countOf(db, org)).toEqual({ messages: 0, events: 0 })
  })

  it('drops the months that no org keeps, and leaves them while another transaction holds their locks', async () => {
    const { db } = await createTestDatabase()
    const [org, longer] = [
      await createOrg(db, { retention_days: 40 }),
      await createOrg(db, { retention_days: 100 }),
    ]
    for (const one of [org, longer]) await fill(db, one, 1, 70, 200, 400)
    const old = [ago(400), ago(200)].map(partitionOf)
    expect((await apply(db, true)).months.map(({ name }) => name)).toEqual(old)
    const reader = await (db.$client as Pool).connect()
    try {
      await reader.query('begin')
      await reader.query('select count(*) from messages')
      const { months } = await apply(db)
      expect(months).toEqual([])
    } finally {
      await reader.query('rollback')
      reader.release()
    }
    expect(await agesOf(db, org), 'what is not dropped is deleted').toEqual([1])
    expect(await agesOf(db, longer)).toEqual([1, 70])
    expect((await apply(db)).months.map(({ name }) => name)).toEqual(old)
  })

  it('drops no month that an org keeps, even if somebody asks PostgreSQL for it', async () => {
    const { db } = await createTestDatabase()
    await fill(db, await createOrg(db, { retention_days: 40 }), 400)
    const drop = async () =>
      (await db.$client.query('select drop_message_partition($1) as dropped', [partitionOf(ago(400))]))
        .rows[0].dropped
    const keeping = await createOrg(db)
    expect(await drop()).toBe(false)
    await db.$client.query('update orgs set retention_days = 500 where id = $1', [keeping.id])
    expect(await drop()).toBe(false)
    await db.$client.query('update orgs set retention_days = 300 where id = $1', [keeping.id])
    expect(await drop()).toBe(true)
  })

  it('waits for nobody: a message that another transaction has locked is left to the next run', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db, { retention_days: 40 })
    await createOrg(db)
    await fill(db, org, 50, 60)
    const other = await (db.$client as Pool).connect()
    try {
      await other.query('begin')
      await other.query(`select from messages where org_id = $1 and wamid = '50' for update`, [org.id])
      expect(await countOf(db, org)).toEqual({ messages: 1, events: 0 })
    } finally {
      await other.query('rollback')
      other.release()
    }
    expect(await countOf(db, org)).toEqual({ messages: 1, events: 0 })
  })

  it('deletes the events that are older, and a cursor behind which there were some is answered 410', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db, { event_retention_days: 5 })
    const other = await createOrg(db)
    for (const one of [org, other])
      await db.$client.query(
        `insert into event_log (org_id, position, at, type, data)
         select $1, p, now() - a * interval '1 day', 'number.stopped', '{"remote_phone_id": "x"}'
         from unnest(array[1, 2, 3], array[20, 7, 4]) as v(p, a)`,
        [one.id],
      )
    const api = await startTestApi(db)
    const read = (query: string) => api.call('GET', `/v1/org/${org.id}/events?${query}`)
    const { body } = await read('limit=1')
    expect(await countOf(db, org, true)).toEqual({ messages: 0, events: 2 })
    expect(await countOf(db, org)).toEqual({ messages: 0, events: 2 })
    const { rows } = await db.$client.query(
      'select org_id, count(*)::int as n from event_log group by 1 order by 1',
    )
    expect(rows).toEqual(
      [org, other]
        .map(({ id }, i) => ({ org_id: id, n: i === 0 ? 1 : 3 }))
        .sort((a, b) => (a.org_id < b.org_id ? -1 : 1)),
    )
    expect((await read(`after=${body.next}`)).status).toBe(410)
  })

  it('keeps events for no longer than the installation does, and partitions for the org that keeps them longest', async () => {
    const { db } = await createTestDatabase()
    const [short] = [
      await createOrg(db, { event_retention_days: 5 }),
      await createOrg(db, { event_retention_days: 90 }),
    ]
    const orgs = await readRetention(db, 30)
    expect(orgs.map(({ eventDays }) => eventDays).sort((a, b) => a - b)).toEqual([5, 30])
    expect(longestEventDays(orgs, 30)).toBe(30)
    expect(
      longestEventDays(
        orgs.filter(({ orgId }) => orgId === short!.id),
        30,
      ),
    ).toBe(5)
    expect(longestEventDays([], 30)).toBe(30)
  })
})

it('the command `retention` says how much is too old with --dry-run, and deletes it without', async () => {
  const { db, url } = await createTestDatabase()
  const org = await createOrg(db, { retention_days: 40 })
  await createOrg(db)
  await fill(db, org, 1, 50)
  const run = (...args: string[]) => runCommand(retentionCommand(), args, { DATABASE_URL: url })
  const line = new RegExp(`^${org.id} +40 days +1 +30 days +0$`, 'm')
  const dry = await run('--dry-run')
  expect([dry.code, dry.output]).toEqual([0, expect.stringMatching(line)])
  expect(dry.output).toContain('Nothing was changed')
  expect(await agesOf(db, org)).toEqual([1, 50])
  expect((await run()).output).toMatch(line)
  expect(await agesOf(db, org)).toEqual([1])
})
