import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { beforeAll, expect, it } from 'vitest'
import { listRefusedWebhooks } from '../../src/console/now/refused-webhooks.ts'
import { run } from '../../src/db/statement.ts'
import { readLogFigures } from '../../src/event-feed/log-figures.ts'
import { answerCanary } from '../../src/heartbeats/answer-canary.ts'
import { askCanaries } from '../../src/heartbeats/ask-canaries.ts'
import { measureSkew } from '../../src/heartbeats/measure-skew.ts'
import { recordSweep } from '../../src/heartbeats/record-sweep.ts'
import { answerOnce } from '../../src/http/idempotency.ts'
import { repairNames } from '../../src/identity/repair-names.ts'
import { insertBatch, insertSingle } from '../../src/inbox/insert.ts'
import { replayDeadLetters } from '../../src/inbox/replay-dead-letters.ts'
import { countSuspectTries, readSuspects, takeBackTries, takeStranded } from '../../src/inbox/stranded.ts'
import { isFuture } from '../../src/lifecycle/is-future.ts'
import { countStrays } from '../../src/messages/count-strays.ts'
import { removeMember } from '../../src/orgs/remove-members.ts'
import { createAccessTokens } from '../../src/outbound/access-tokens.ts'
import { claimSends } from '../../src/outbound/claim-sends.ts'
import { applyEarlyStatuses } from '../../src/outbound/early-statuses.ts'
import { markEnded, markSent, releaseSend, requeueSend } from '../../src/outbound/end-send.ts'
import { lockPairs } from '../../src/outbound/lock-pairs.ts'
import { countStoppedNumbers, stopNumbers } from '../../src/outbound/stopped-numbers.ts'
import { failLateSends, markAbandonedSends } from '../../src/outbound/stranded-sends.ts'
import { createRefusalReport } from '../../src/receiver/refusals.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { card, system, text, write } from '../support/people.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const BIG = [
  ...['chatrooms', 'contacts', 'customers', 'customer_aliases', 'former_aliases', 'messages', 'events'],
  ...['inbox', 'outbox'],
]
const USERS = ['ann', 'bob', 'cid', 'dee']

const { db } = await createTestDatabase()
let statements: Statement[]

/** Sends what goes on behind the API: the receiver, suspects, sends, heartbeats, idempotency. */
async function behindTheApi(org: TestOrg): Promise<void> {
  const row = { org: org.id, id: randomUUID(), createdAt: new Date(), remotePhoneId: org.phones[0]! }
  await insertBatch(db, [Buffer.from('a')], 10_000)
  const ids = await insertSingle(db, Buffer.from('b'), 10_000, '')
  await takeStranded(db, 10, false)
  await readSuspects(db, ids)
  await countSuspectTries(db, ids)
  await takeBackTries(db, ids)
  await run(db, claimSends({ slots: 32, slotsOfOrg: 24, underWay: [], unusable: [] }))
  for (const end of [
    markSent(row, 'wamid.x'),
    markEnded(row, 'failed', 'x'),
    requeueSend(row, 1, 'x', 0),
    releaseSend(row, 1, 'x'),
    stopNumbers([{ orgId: org.id, remotePhoneId: 'none', at: new Date(), reason: 'x' }]),
  ])
    await run(db, end)
  await run(db, lockPairs([{ orgId: org.id, customerId: randomUUID(), phoneId: org.phones[0]! }], [row]))
  await run(db, markAbandonedSends())
  await run(db, failLateSends())
  await run(db, applyEarlyStatuses())
  await countStoppedNumbers(db)
  await countStrays(db)
  await readLogFigures(db)
  await createAccessTokens({ db, secretsKey: undefined, log: pino({ level: 'silent' }) }).expectKey()
  await askCanaries(db)
  await answerCanary(db, 'deliveries')
  await recordSweep(db, 'purge', 1)
  await measureSkew(db, Date.now)
  await isFuture(db, new Date())
  await answerOnce(db, { orgId: org.id, key: 'k', request: 1 }, async () => ({ status: 200, body: {} }))
  createRefusalReport(db, pino({ level: 'silent' }))('signature')
  await listRefusedWebhooks(db)
  await replayDeadLetters(db, { after: 0, limit: 1, reason: undefined }, async () => true)
}

/** Routes what changes names, preferences and statuses, and lets people leave a group. */
async function rareItems(org: TestOrg): Promise<void> {
  const phone = org.phones[0]!
  await createRoom(db, org, { customer: '+15550000001', pendingUserId: 'bob' })
  await deliver(db, post(phone, message({ from: '15550000001', userId: 'US.1' })))
  await write(db, org, [text({ from_user_id: 'US.2' }), text({ from: '15550000002' })])
  await write(db, org, [text({ from: '15550000002', from_user_id: 'US.2' })])
  await write(db, org, [text({ from: '15550000001', from_user_id: 'US.3' })])
  await write(db, org, [text({ from_user_id: 'US.4' })])
  const phones = [{ wa_id: '15550000004', phone: '+15550000004' }]
  await write(db, org, [card({ from_user_id: 'US.4' }, phones, 'contact_request')])
  const change2 = {
    type: 'user_changed_number',
    wa_id: '15550000009',
    user_id: 'US.9',
    previous_user_id: 'US.1',
  }
  await write(db, org, [system(change2, { from: '15550000001', from_user_id: 'US.1' })])
  const stop = {
    metadata: { phone_number_id: phone },
    contacts: [{ wa_id: '15550000009' }],
    user_preferences: [
      {
        wa_id: '15550000009',
        category: 'marketing_messages',
        value: 'stop',
        timestamp: Math.floor(Date.now() / 1000),
      },
    ],
  }
  await deliver(db, bytes(delivery([{ field: 'user_preferences', value: stop }])))
  const calls = [{ id: 'c', from: '15550000001', event: 'connect', timestamp: '1790416832' }]
  const call = { metadata: { phone_number_id: phone }, calls }
  await deliver(db, bytes(delivery([{ field: 'calls', value: call }])))
  const status = { id: 'x', status: 'sent', biz_opaque_callback_data: randomUUID() }
  await deliver(db, bytes(delivery([change(phone, { statuses: [status] })])))
  await db.$client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, direction, type, sent_at, received_at, seq, reason,
       payload) select org_id, 'refused', $2, id, 'out', 'template', now(), now(), 0, 'x', '{}' from customers
     where org_id = $1 limit 1`,
    [org.id, phone],
  )
  const refused = { id: 'refused', status: 'failed', errors: [{ code: 131049 }] }
  await deliver(db, bytes(delivery([change(phone, { statuses: [refused] })])))
  await db.$client.query(
    `insert into customer_aliases (org_id, kind, value, customer_id)
     select org_id, 'wa_id', '+15550000077', id from customers where org_id = $1 limit 1`,
    [org.id],
  )
  await db.$client.query(
    `insert into customer_aliases (org_id, kind, value, customer_id)
     select org_id, kind, '+' || value, customer_id from customer_aliases
     where org_id = $1 and kind = 'wa_id' and value = '15550000002'`,
    [org.id],
  )
  await repairNames(db)
  const users = [...USERS, 'eve'].map((id) => ({ id, email: `${id}@${org.id}.test`, name: id }))
  await provisionOrg(db, {
    id: org.id,
    users,
    groups: [{ id: 'team', name: 'Team', members: USERS }],
  })
  await provisionOrg(db, {
    id: org.id,
    users,
    groups: [{ id: 'team', name: 'Team', members: ['ann', 'bob'] }],
    users_are_complete: true,
  })
  await removeMember(db, { orgId: org.id, groupId: 'team', userId: 'ann', actor: 'x' })
}

beforeAll(async () => {
  const org = await createOrg(db, { deactivate_on_opt_out: true }, { users: USERS })
  await loadCustomers(db, org, 2_000, USERS)
  statements = await recordEverything(async () => {
    await behindTheApi(org)
    await rareItems(org)
  })
  await eventually(async () => (await db.$client.query('select from webhook_refusals')).rowCount === 1)
})

it('every statement of the list is recorded', () => {
  expect(missingIn('other-plans', statements)).toEqual([])
})

it('no statement behind the API, and none of rare items, scans a big table', async () => {
  const scans: [string, string[]][] = []
  for (const statement of statements) {
    const nodes = await planNodes(db, statement)
    const bad = nodes.filter((n) => n.startsWith('Seq Scan') && BIG.some((table) => n.endsWith(` ${table}`)))
    if (bad.length > 0) scans.push([statement.name || statement.text, bad])
  }
  expect(scans).toEqual([])
})
