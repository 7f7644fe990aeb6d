import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { takeStranded } from '../../src/inbox/stranded.ts'
import { claimSends } from '../../src/outbound/claim-sends.ts'
import { failLateSends, markAbandonedSends } from '../../src/outbound/stranded-sends.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { monthsOfMessage } from '../../src/rules/ledger-months.ts'
import { growLedger } from '../bench/grown-ledger.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { store } from '../support/inbox.ts'
import { partitionOf } from '../support/ledger.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { missingIn } from '../support/plan-tests.ts'
import { planNodes, recordStatements, type Statement } from '../support/statements.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const BIG = [
  'messages',
  'chatrooms',
  'contacts',
  'customers',
  'customer_aliases',
  'inbox',
  'outbox',
  'account_events',
]

/** So many messages in the ledger: `PLAN_LEDGER=20000000 npx vitest run --project integration plans.test` takes some minutes. */
const LEDGER = Number(process.env.PLAN_LEDGER ?? 0)
const LOAD_MS = LEDGER > 0 ? 3_600_000 : undefined

/** A batch that makes routing use every statement it has. */
async function everyStatement({ db, pool }: TestDatabase): Promise<Statement[]> {
  const org = await createOrg(db, { auto_reply_text: 'closed', expiry_days: 100 })
  const creating = await createOrg(db, { unknown_sender: 'create' })
  const old = ago(101)
  const phone = org.phones[0]!
  await createRoom(db, org, { customer: '+15550000001', pendingUserId: 'bob' })
  await createRoom(db, org, { customer: '+15550000002', deactivatedAt: new Date() })
  await createRoom(db, org, { customer: '+15550000003', contactCreatedAt: old })
  const ghost = message({ from: '15550000001', type: 'unsupported' })
  await routeDeliveries(db, await store(db, post(phone, ghost)), () => {})
  const from = (n: number) => message({ from: `1555000000${n}` })
  const ids = await store(
    db,
    post(phone, from(1), from(2), from(3), from(4), { ...from(1), id: ghost.id }),
    post(creating.phones[0]!, from(5)),
    bytes(delivery([change(phone, { statuses: [{ id: 'x', status: 'sent' }], errors: [{ code: 1 }] })])),
    post('unknown-number', from(6)),
    Buffer.from('dead'),
  )
  const recorder = recordStatements(pool)
  await routeDeliveries(db, ids, () => {})
  recorder.stop()
  return recorder.statements.filter((s) => s.name !== '' || s.text.startsWith('begin'))
}

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  let database: TestDatabase
  let statements: Statement[]

  beforeAll(async () => {
    database = await createTestDatabase()
    if (fill === 'loaded') await load(database)
    statements = await everyStatement(database)
  }, LOAD_MS)

  it('routing opens only the partitions of the months around its messages', async () => {
    const known = statements.find(({ name }) => name === 'read-known-messages')!
    const { rows } = await database.pool.query(`explain ${known.text}`, known.values)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    const opened = [...plan.matchAll(/ on (messages_\d+)/g)].map(([, table]) => table!)
    const { since, until } = monthsOfMessage(new Date())
    expect(opened).not.toEqual([])
    expect(opened.filter((table) => table < partitionOf(since) || table >= partitionOf(until))).toEqual([])
  })

  it('routing reads big tables by index, without hash or merge joins', async () => {
    expect(statements.length).toBeGreaterThan(15)
    expect(missingIn('plans', statements)).toEqual([])
    for (const statement of statements.filter((s) => s.name !== '')) {
      const nodes = await planNodes(database.db, statement)
      const scans = nodes.filter((n) => n.startsWith('Seq Scan') && BIG.some((table) => n.endsWith(table)))
      expect([statement.name, scans]).toEqual([statement.name, []])
      expect([statement.name, nodes.filter((n) => /^(Hash|Merge) Join/.test(n))]).toEqual([
        statement.name,
        [],
      ])
    }
  })

  it('stranded deliveries are found by index', async () => {
    const text = `select id from inbox where state = 'new' and due_at <= now() order by due_at limit 1000`
    expect(await planNodes(database.db, { name: '', text, values: [] })).toContain('Index Scan on inbox')
    expect(await takeStranded(database.db, 10, false)).toEqual({ ids: [], suspects: [] })
  })

  it.each([
    { statement: markAbandonedSends(), index: 'outbox_one_sending' },
    { statement: failLateSends(), index: 'outbox_free_text' },
    {
      statement: claimSends({ slots: 32, slotsOfOrg: 24, underWay: [], unusable: [] }),
      index: 'outbox_pairs_due',
    },
  ])('sends are found by index: $statement.name', async ({ statement, index }) => {
    const { rows } = await database.pool.query(`explain ${statement.text}`, statement.values)
    const plan = rows.map((row) => row['QUERY PLAN']).join(' ')
    expect(plan).toContain(`using ${index} on`)
    expect(plan).not.toContain('Seq Scan on outbox')
  })
})

it('plans that are made anew read a ledger by its key that was analyzed while empty and has grown since', async () => {
  const database = await createTestDatabase()
  const statements = await everyStatement(database)
  expect(statements.find((s) => s.text.startsWith('begin'))?.text).toContain('force_generic_plan')
  const { pool, db } = database
  await pool.query(`truncate ${BIG.join(', ')} cascade`)
  for (const table of BIG) await pool.query(`vacuum analyze ${table}`)
  await pool.query(`insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
    select 'org', n, 'phone', 'in', 'text', now(), now(), n, '', '{}' from generate_series(1, 5000) n`)
  const known = statements.find((s) => s.name === 'read-known-messages')!
  const { rows } = await db.$client.query(`explain ${known.text}`, known.values)
  expect(rows.map((row) => row['QUERY PLAN']).join(' ')).toContain(
    'Index Cond: ((org_id = k.org_id) AND (wamid = k.wamid))',
  )
})

it('a small batch uses prepared plans, which claim by id also if they were made for an inbox with many dead rows', async () => {
  const { pool, url } = await createTestDatabase()
  const { db, close } = openDatabase(url, { max: 1, name: 'one', onLost: () => {} })
  onTestFinished(close)
  const org = await createOrg(db)
  const ids = await store(db, post(org.phones[0]!, message({ from: '15550000001' })))
  await pool.query('vacuum analyze inbox')
  const recorder = recordStatements(db.$client)
  await routeDeliveries(db, ids, () => {})
  recorder.stop()
  expect(recorder.statements[0]?.text).toContain('force_generic_plan')
  await pool.query(`insert into inbox (body) select '' from generate_series(1, 20000)`)
  await pool.query('delete from inbox')
  await pool.query('vacuum analyze inbox')
  await db.$client.query('set plan_cache_mode to force_generic_plan')
  const { rows } = await db.$client.query(`explain execute "claim-deliveries" ('{1}')`)
  expect(rows.map((row) => row['QUERY PLAN']).join(' ')).toContain('inbox_pkey')
})

it('routing 200 messages takes as many round trips as routing one', async () => {
  const database = await createTestDatabase()
  const { db, pool } = database
  const org = await createOrg(db)
  const trips = async (area: number, messages: number) => {
    const customers = Array.from({ length: messages }, (_, i) => `1${area}100${1000 + i}`)
    for (const customer of customers) {
      await createRoom(db, org, { customer: `+${customer}`, deactivatedAt: new Date() })
    }
    const bodies = customers.map((from) => post(org.phones[0]!, message({ from })))
    const ids = await store(db, ...bodies)
    const recorder = recordStatements(pool)
    await routeDeliveries(db, ids, () => {})
    recorder.stop()
    return recorder.statements.length
  }
  const one = await trips(555, 1)
  expect(await trips(556, 200)).toBe(one)
})

/** 3,000 customers with a chatroom each, the messages that are asked for, and statistics. */
async function load({ db, url }: TestDatabase): Promise<void> {
  if (LEDGER > 0) await growLedger(url, { rooms: 1_000_000, ledger: LEDGER }, () => {})
  const org = await createOrg(db)
  await inTransaction(db, async (tx) => {
    // Triggers and foreign keys take most of the time, and plans do not depend on them.
    await tx.$client.query('set local session_replication_role = replica')
    await tx.$client.query(
      `with c as (
       insert into customers (org_id, id) select $1, gen_random_uuid() from generate_series(1, 3000) returning id),
     a as (
       insert into customer_aliases (org_id, kind, value, customer_id)
       select $1, 'wa_id', 'w' || id, id from c),
     k as (
       insert into contacts (org_id, id, customer_id, crm_id) select $1, id, id, id::text from c)
     insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name)
     select $1, id, id, id, $2, 'x' from c`,
      [org.id, org.phones[0]],
    )
  })
  await db.$client.query('analyze')
}
