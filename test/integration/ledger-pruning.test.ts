import type pg from 'pg'
import { beforeAll, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { openDatabase } from '../../src/db/client.ts'
import { run } from '../../src/db/statement.ts'
import { firstCursor } from '../../src/event-feed/cursor.ts'
import { readEventPage } from '../../src/event-feed/read-page.ts'
import { keepMonths } from '../../src/messages/keep-months.ts'
import { claimSends } from '../../src/outbound/claim-sends.ts'
import { applyEarlyStatuses } from '../../src/outbound/early-statuses.ts'
import { markSent } from '../../src/outbound/end-send.ts'
import { createTestDatabase } from '../support/database.ts'
import { untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { insertMessage, monthOf, partitionOf } from '../support/ledger.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const now = new Date()
const MONTHS = 24
const { db, pool, url } = await createTestDatabase()
let org: TestOrg
let phone: string

/** Works on connections of its own: when they end, the server has their figures. */
async function apart(work: (own: Db & { $client: pg.Pool }) => Promise<void>): Promise<void> {
  const own = openDatabase(url, { max: 2, name: 'pruning', onLost: () => {} })
  await work(own.db).finally(own.close)
  const left = async () =>
    (
      await pool.query(
        `select from pg_stat_activity where application_name ~ 'pruning' and datname = current_database()`,
      )
    ).rowCount
  await eventually(async () => (await left()) === 0)
}

beforeAll(() =>
  apart(async (own) => {
    org = await createSendingOrg(own, { expiry_days: 100 })
    phone = org.phones[0]!
    for (let months = 0; months < MONTHS; months += 1) {
      await insertMessage(own.$client, org, { wamid: `month ${months}`, at: monthOf(now, -months) })
    }
    await keepMonths(own, now)
    await createRoom(own, org, { customer: '+15550000001' })
    await createRoom(own, org, { customer: '+15550000002', deactivatedAt: new Date() })
    await createRoom(own, org, { customer: '+15550000003', contactCreatedAt: ago(101) })
  }),
)

/** The partitions of which an index was read while `work` ran on connections of its own. */
async function partitionsRead(work: (own: Db) => Promise<void>): Promise<string[]> {
  const read = async () => {
    const { rows } = await pool.query<{ name: string; count: number }>(
      `select relname as name, coalesce(seq_scan, 0)::int + coalesce(idx_scan, 0)::int as count
       from pg_stat_user_tables where relname ~ '^messages_'`,
    )
    return new Map(rows.map(({ name, count }) => [name, count]))
  }
  const before = await read()
  await apart(work)
  const after = await read()
  return [...after.keys()].filter((name) => after.get(name) !== (before.get(name) ?? 0)).sort()
}

const statusOf = (id: string, status: string) =>
  bytes(
    delivery([
      change(phone, { statuses: [{ id, status, timestamp: String(Math.floor(Date.now() / 1000)) }] }),
    ]),
  )

/** Those of now, and of the days around it, which may be of the month before or after. */
const RECENT = [-1, 0, 1].map((months) => partitionOf(monthOf(now, months)))

it('routing, sending and reading events read the partitions of the last days only', async () => {
  const from = (n: number) => message({ from: `1555000000${n}` })
  const names = await partitionsRead(async (own) => {
    const ghost = message({ from: '15550000001', type: 'unsupported' })
    const ids: string[] = []
    // Statements of small batches get plans that are made once, those of larger ones a plan each time.
    for (let round = 0; round < 8; round += 1) {
      await deliver(own, post(phone, from(1)))
      await deliver(
        own,
        post(phone, from(2)),
        post(phone, from(3)),
        post(phone, from(4)),
        post(phone, from(1)),
      )
    }
    await deliver(own, post(phone, ghost))
    await deliver(own, post(phone, { ...from(1), id: ghost.id }))
    await deliver(own, post(phone, { ...from(1), timestamp: String(Math.floor(Date.now() / 1000) - 600) }))
    const { sends } = await run(own, claimSends({ slots: 100, slotsOfOrg: 100, underWay: [], unusable: [] }))
    for (const send of sends) {
      const wamid = newWamid()
      await run(own, markSent({ ...send, remotePhoneId: phone }, wamid))
      ids.push(wamid)
    }
    for (const wamid of ids)
      for (const status of ['sent', 'delivered']) await deliver(own, statusOf(wamid, status))
    expect(ids.length).toBeGreaterThan(0)
    await untilReadable(db)
    const { events } = await readEventPage(own, firstCursor(org.id), { types: undefined, limit: 1_000 })
    expect(events.filter(({ message }) => message).length).toBeGreaterThan(ids.length * 3)
  })
  expect(names).toContain(partitionOf(now))
  expect(names.filter((name) => !RECENT.includes(name))).toEqual([])
})

it('a status of an unknown message reads the partitions of the last 100 days', async () => {
  const names = await partitionsRead(async (own) => {
    await deliver(own, statusOf(newWamid(), 'read'))
    await run(own, applyEarlyStatuses())
  })
  const allowed = [...RECENT, ...[-2, -3, -4].map((months) => partitionOf(monthOf(now, months)))]
  expect(names.filter((name) => !allowed.includes(name))).toEqual([])
})
