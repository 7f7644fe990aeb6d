import type { Pool } from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '../../src/db/client.ts'
import { goOnWithErasures } from '../../src/personal-data/work-on-erasure.ts'
import { applyRetention } from '../../src/retention/apply-retention.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { store } from '../support/inbox.ts'
import { insertMessage } from '../support/ledger.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, createRoom, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const BIG = [
  ...[
    'chatrooms',
    'chatroom_members',
    'contacts',
    'contact_wabas',
    'customers',
    'customer_aliases',
    'former_aliases',
  ],
  ...['messages', 'events', 'event_log', 'inbox', 'outbox', 'outbox_pairs', 'last_calls', 'early_statuses'],
  ...['idempotency_keys', 'account_events', 'tombstones', 'erasures'],
]
const KEY = Buffer.from(SECRETS_KEY, 'base64')
const PHONE = '15550001111'
const PLAN_MS = 1_800_000

let db: Db

/** Erases a person about whom each table has something, routes a message of theirs again, and deletes what is too old. */
async function everyStatement(org: TestOrg) {
  const api = await startTestApi(db as Parameters<typeof startTestApi>[0], { secretsKey: KEY })
  await createRoom(db, org, { customer: `+${PHONE}` })
  const again = post(org.phones[0]!, message({ from: PHONE }))
  await routeDeliveries(db, await store(db, again), () => {}, KEY)
  const others = change(org.phones[0]!, {
    messages: [message({ from: PHONE }), message({ from: '15550002222' })],
  })
  const ids = await store(db, bytes(delivery([others], org.wabaId)))
  await db.$client.query(`update inbox set state = 'dead', error = 'x' where id = any($1)`, [ids])
  await db.$client.query(
    `insert into account_events (org_id, digest, waba_id, field, received_at, payload) values ($1, '\\x01', 'w', 'x', now(), $2)`,
    [org.id, { wa_id: PHONE }],
  )
  const path = `/v1/org/${org.id}/customer`
  const { body } = await api.call('DELETE', `${path}?phone=${PHONE}`)
  await api.call('DELETE', `${path}?phone=${PHONE}`)
  await goOnWithErasures(db, KEY)
  expect((await api.call('GET', `${path}/erasures/${body.id}`)).body.state).toBe('finished')
  await routeDeliveries(db, await store(db, again), () => {}, KEY)
  await db.$client.query('update orgs set retention_days = 40, event_retention_days = 5 where id = $1', [
    org.id,
  ])
  await insertMessage(db.$client as Pool, org, { wamid: 'old', at: ago(50) })
  for (const dryRun of [true, false]) await applyRetention(db, { eventRetentionDays: 30, dryRun })
}

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  let statements: Statement[]

  beforeAll(async () => {
    db = (await createTestDatabase()).db
    const org = await createOrg(db)
    if (fill === 'loaded')
      await loadCustomers(db, org, Number(process.env.PLAN_CUSTOMERS ?? 2_000), ['ann', 'bob', 'ann', 'bob'])
    statements = await recordEverything(() => everyStatement(org))
  }, PLAN_MS)

  it('no statement of an erasure or of the retention scans a big table', async () => {
    expect(missingIn('erasure-plans', statements)).toEqual([])
    const scans: [string, string[]][] = []
    for (const statement of statements) {
      const isBig = (node: string) =>
        BIG.some((table) => new RegExp(` ${table}(_\\d+|_default)?$`).test(node))
      const bad = (await planNodes(db, statement)).filter(
        (node) => node.startsWith('Seq Scan') && isBig(node),
      )
      if (bad.length > 0) scans.push([statement.name || statement.text, bad])
    }
    expect(scans).toEqual([])
  })
})
