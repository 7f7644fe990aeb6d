import { beforeAll, describe, expect, it } from 'vitest'
import { countHeld } from '../../src/console/now/count-held.ts'
import type { Database } from '../../src/db/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, store } from '../support/inbox.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { missingIn } from '../support/plan-tests.ts'
import { subscribe } from '../support/push.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'
import { message, post } from '../support/webhooks.ts'

const BIG = [
  'chatrooms',
  'waiting_chatrooms',
  'contacts',
  'customers',
  'customer_aliases',
  'messages',
  'events',
  'inbox',
  'outbox',
  'event_log',
  'webhook_attempts',
  'webhook_lanes',
]
const USERS = ['ann', 'bob', 'cid', 'dee']
const ORGS = 10
/**
 * Pools disable sequential scans, so a plan has one only where no index fits, on tables of any size. With a million
 * customers, plans and times are printed:
 * `PLAN_CUSTOMERS=1000000 PLAN_MESSAGES=5 npx vitest run --project integration console-plans`.
 */
const CUSTOMERS = Number(process.env.PLAN_CUSTOMERS ?? 2_000)
const MESSAGES_OF_EACH = Number(process.env.PLAN_MESSAGES ?? 1)
/** Statements that count every chatroom, in the background: no page waits for them. */
const COUNTS = ['console-count-rooms', 'preview-sweep']

/** No page of the console is larger. */
const MAX_BYTES = 100_000
/** A million customers take minutes to load. */
const PLAN_MS = 1_800_000

let db: Database['db']

/** Writes rows for every page; gives the addresses of the pages, and of the changes that they offer. */
async function writeRows(): Promise<{ pages: string[]; changes: string[]; org: string }> {
  const org = await createOrg(db, { inactivity_days: 30, expiry_days: 100, auto_reply_text: 'closed' })
  // Several orgs: the page Team lists them, and the search finds a customer in two of them.
  const other = await createOrg(db)
  for (const one of [org, other]) await createRoom(db, one, { customer: '+13125550004' })
  await createRoom(db, org, { customer: '+13125550001', deactivatedAt: new Date() })
  await createRoom(db, org, { customer: '+13125550002', expiredAt: new Date() })
  const texts = ['13125550001', '13125550002', '13125550003'].map((from) => message({ from }))
  await deliver(db, post(org.phones[0]!, ...texts), post('unknown-number', message({})))
  const { rows } = await db.$client.query(
    `update outbox set state = 'failed' where org_id = $1 returning id, chatroom_id as room`,
    [org.id],
  )
  const [reply] = rows
  await db.$client.query(`update messages set status = 'failed' where outbox_id = $1`, [reply.id])
  const [dead, more] = await store(db, Buffer.from('x'), Buffer.from('y'))
  await db.$client.query(`update inbox set state = 'dead', error = 'e' where id >= $1`, [dead])
  const receiver = await startWebhookReceiver('file')
  const { endpointId } = await subscribe(db, org, receiver, { enabled: false })
  const endpoint = `/webhooks/${org.id}/${endpointId}`
  const searches = ['%2B13125550001', 'US.13125550001', 'crm-1', texts[1]?.id, '13125550003']
  return {
    pages: [
      ...[
        '',
        `?org=${org.id}`,
        `?org=${org.id}&number=${org.phones[0]}&decision=held&type=text`,
        '/stuck',
        ...['dead', 'sends', 'parked', 'held', 'parked?waits=x'].map((list) => `/stuck/${list}`),
        ...[`held?org=${org.id}&number=x&age=over-1d`, `sends?org=${org.id}&reason=x`, 'dead?reason=x'].map(
          (list) => `/stuck/${list}`,
        ),
        `/stuck/${dead}`,
      ],
      ...[
        '/stuck/dead?replayed=1&first=0&last=99999999',
        '/doctor',
        '/lifecycle',
        `/lifecycle?org=${org.id}`,
      ],
      ...['/webhooks', endpoint, '/team', `/team?org=${org.id}`, `/team?org=${org.id}&group=g&user=ann`],
      ...[
        `/customer?q=%2B13125550001&org=${org.id}&room=${reply.room}&before=WzEsIjEiLCJmZmZmZmZmZi1mZmZmLWZmZmYtZmZmZi1mZmZmZmZmZmZmZmYiXQ`,
      ],
      ...['/customer?q=%2B13125550004', '/customer/suggest?q=1312'],
      ...searches.flatMap((q) => [`/customer?q=${q}`, `/customer?q=${q}&org=${org.id}&text=show`]),
    ],
    org: org.id,
    changes: [
      `/stuck/${more}/replay`,
      '/stuck/replay',
      `/stuck/sends/${org.id}/${reply.room}/${reply.id}/retry`,
      ...[`${endpoint}/test`, `${endpoint}/enable`],
    ],
  }
}

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  let statements: Statement[]

  beforeAll(async () => {
    db = (await createTestDatabase()).db
    for (let i = 0; fill === 'loaded' && i < ORGS; i += 1) {
      const org = await createOrg(db, { inactivity_days: 30, expiry_days: 100 }, { users: USERS })
      await loadCustomers(db, org, CUSTOMERS / ORGS, USERS, MESSAGES_OF_EACH)
    }
    const { pages, changes, org } = await writeRows()
    const url = await startOps(db)
    const ask = async (path: string, method = 'GET') => {
      const { status, body } = await loggedIn(`${url}/console${path}`, { method })
      expect([path, status < 400, Buffer.byteLength(body) <= MAX_BYTES]).toEqual([path, true, true])
    }
    statements = await recordEverything(async () => {
      for (const path of pages) await ask(path)
      for (const path of changes) await ask(path, 'POST')
      await countHeld(db, ['org-1'])
      await recordRuns(url, org)
      await eventually(() => isCounted(url))
    })
    await db.$client.query(`update inbox set state = 'dead', error = 'e' where state = 'new'`)
    if (process.env.PLAN_CUSTOMERS && fill === 'loaded') await printTimes(pages, ask)
  }, PLAN_MS)

  it('no statement that a page waits for scans a big table', async () => {
    const names = statements.map((s) => s.name)
    expect(missingIn('console-plans', statements)).toEqual([])
    expect(names).toEqual(expect.arrayContaining(['console-recent-messages', 'console-timeline-messages']))
    expect(names).toEqual(expect.arrayContaining(COUNTS))
    const scans: [string, string[]][] = []
    for (const statement of statements) {
      if (COUNTS.includes(statement.name)) continue
      const nodes = await planNodes(db, statement)
      const bad = nodes.filter((n) => n.startsWith('Seq Scan') && BIG.some((t) => n.endsWith(` ${t}`)))
      if (bad.length > 0) scans.push([statement.name || statement.text, bad])
      if (process.env.PLAN_CUSTOMERS && fill === 'loaded') await printPlan(statement)
    }
    expect(scans).toEqual([])
  })
})

/** Runs over many rows: one of each kind, to its end; and one that stands still, goes on, and is ended. */
async function recordRuns(url: string, org: string): Promise<void> {
  const isOver = async () =>
    (await db.$client.query('select from bulk_runs where ended_at is null')).rowCount === 0
  await eventually(isOver)
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { status } = await loggedIn(`${url}/console/stuck/sends/retry`, {
    method: 'POST',
    headers,
    body: `org=${org}`,
  })
  expect(status).toBe(303)
  await eventually(isOver)
  await db.$client.query(
    `insert into bulk_runs (id, kind, filter, actor, runner, beat_at)
     select gen_random_uuid(), 'replay', '{}', 'x', gen_random_uuid(), now() - interval '1 minute'`,
  )
  const { rows } = await db.$client.query('select id from bulk_runs where ended_at is null')
  await loggedIn(`${url}/console/stuck/runs/${rows[0].id}/continue`, { method: 'POST' })
  await loggedIn(`${url}/console/stuck/runs/${rows[0].id}/end`, { method: 'POST' })
  await eventually(isOver)
  await loggedIn(`${url}/console/stuck/dead`)
}

async function isCounted(url: string): Promise<boolean> {
  const { body } = await loggedIn(`${url}/console/lifecycle`)
  return !body.includes('being counted')
}

/** Prints how long each page takes; no test depends on it. */
async function printTimes(pages: string[], ask: (path: string) => Promise<void>): Promise<void> {
  for (const path of pages) {
    const times: number[] = []
    for (let i = 0; i < 20; i += 1) {
      const begin = performance.now()
      await ask(path)
      times.push(performance.now() - begin)
    }
    const [p50, most] = [times.toSorted((a, b) => a - b)[10] ?? 0, Math.max(...times)]
    const line = `${CUSTOMERS} customers, p50 ${p50.toFixed(0)} ms, at most ${most.toFixed(0)} ms: /console${path}`
    process.stdout.write(`${line}\n`)
  }
}

/** Prints what PostgreSQL does for a statement, and reads. */
async function printPlan({ name, text, values }: Statement): Promise<void> {
  if (!/^\s*(select|with)/i.test(text)) return
  const { rows } = await db.$client.query(`explain (analyze, buffers, costs off) ${text}`, values)
  process.stdout.write(`\n${name || text}\n  ${rows.map((row) => row['QUERY PLAN']).join('\n  ')}\n`)
}
