import { expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createRoute, type Route } from '../../workers/deliveries/route.ts'
import { createSuspectRouting } from '../../workers/deliveries/suspects.ts'
import { createTestDatabase } from '../support/database.ts'
import { readMessage, store } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const log = createLogger({ logLevel: 'silent' })

/** More tries than make a dead letter of a suspect that kills its worker. */
const TRIES = 7

/** Five deliveries that are suspects, and their routing over connections with these settings. */
async function suspects() {
  const { db, pool, url } = await createTestDatabase()
  const org = await createOrg(db)
  const messages = Array.from({ length: 5 }, () => message({}))
  const ids = await store(db, ...messages.map((m) => post(org.phones[0]!, m)))
  const metrics = createMetrics()
  const parts = {
    metrics,
    log,
    producer: { wakeSenders: () => {} },
    announceEvents: () => {},
    yielding: { noteRouted: () => {}, isHeldBack: () => false },
    tracing: { traced: <T>(_name: string, _attributes: object, work: () => T) => work() },
  }
  const routing = (stub?: Route) => {
    const own = openDatabase(url, { max: 2, name: 'test', onLost: () => {} })
    onTestFinished(own.close)
    const ofOwn = { ...parts, db: own.db }
    return createSuspectRouting(ofOwn, stub ?? createRoute(ofOwn))
  }
  /** For connections that are opened from then on. */
  const set = (setting: string) =>
    db.$client.query(`alter database ${new URL(url).pathname.slice(1)} ${setting}`)
  const inbox = async () => (await db.$client.query('select state, attempts from inbox order by id')).rows
  const routed = async () =>
    (await Promise.all(messages.map((m) => readMessage(db, org.id, m.id)))).filter(Boolean).length
  return { pool, ids, routing, set, inbox, routed }
}

const untried = Array.from({ length: 5 }, () => ({ state: 'new', attempts: 0 }))

it('suspects are retried for as long as a table is locked, and all are routed when the lock is gone', async () => {
  const { pool, ids, routing, set, inbox, routed } = await suspects()
  await set(`set lock_timeout = '50ms'`)
  const route = routing()
  const locker = await pool.connect()
  await locker.query('begin; lock table messages')
  for (let i = 0; i < TRIES; i += 1) await expect(route(ids)).rejects.toThrow('lock timeout')
  expect(await inbox()).toEqual(untried)
  await locker.query('rollback')
  locker.release()
  await route(ids)
  expect([await inbox(), await routed()]).toEqual([[], 5])
})

it('suspects are retried for as long as the database is read-only', async () => {
  const { ids, routing, set, inbox, routed } = await suspects()
  await set('set default_transaction_read_only = on')
  const readOnly = routing()
  for (let i = 0; i < TRIES; i += 1) await expect(readOnly(ids)).rejects.toThrow('read-only')
  expect(await inbox()).toEqual(untried)
  await set('reset default_transaction_read_only')
  await routing()(ids)
  expect([await inbox(), await routed()]).toEqual([[], 5])
})

it.each([
  ['a full disk', '53100', 0],
  ['a lost connection', '08006', 0],
  ['a statement that took too long', '57014', 0],
  ['a deadlock', '40P01', 0],
  ['a unique violation, which may come again each time', '23505', 1],
  ['a value that PostgreSQL refuses', '22P05', 1],
])('%s (%s) counts as %i tries of a suspect', async (_, code, attempts) => {
  const { ids, routing, inbox } = await suspects()
  const failing = routing(() => Promise.reject(Object.assign(new Error('refused'), { code })))
  await expect(failing(ids)).rejects.toThrow('refused')
  expect(await inbox()).toEqual(untried.map((row) => ({ ...row, attempts })))
})
