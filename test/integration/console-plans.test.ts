import { pino } from 'pino'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { type RunningServer, startServer } from '../../src/http/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createOpsApp } from '../../workers/ops-app.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'
import { deliver, store } from '../support/inbox.ts'
import { loadCustomers } from '../support/load-customers.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { planNodes, recordEverything, type Statement } from '../support/statements.ts'
import { message, post } from '../support/webhooks.ts'

const BIG = [
  'chatrooms',
  'contacts',
  'customers',
  'customer_aliases',
  'messages',
  'events',
  'inbox',
  'outbox',
]
const USERS = ['ann', 'bob', 'cid', 'dee']
const ORGS = 10
/** A million, with plans and times: `PLAN_CUSTOMERS=1000000 npx vitest run --project integration console-plans`. */
const CUSTOMERS = Number(process.env.PLAN_CUSTOMERS ?? 25_000)
/** Counts every chatroom, on purpose and in the background. */
const COUNTS = ['console-count-rooms', 'preview-sweep']
const AUTHORIZATION = `Basic ${Buffer.from('ops:secret').toString('base64')}`

let db: Database['db']

async function start(): Promise<RunningServer> {
  const log = pino({ level: 'silent' })
  const handler = createOpsApp({
    ...{ probes: [], details: async () => ({}), registry: createMetrics().registry, queues: () => [] },
    ...{ refreshGauges: async () => {}, login: { user: 'ops', password: 'secret' }, readOnly: false },
    ...{ now: () => new Date(), db, enqueue: async () => true, log },
  })
  return startServer({ host: '127.0.0.1', port: 0, variable: 'OPS_PORT', handler, log })
}

/** Something on every page; gives the addresses of the pages, and the changes that may be asked for. */
async function furnish(): Promise<{ pages: string[]; changes: string[] }> {
  const org = await createOrg(db, { inactivity_days: 30, expiry_days: 100, auto_reply_text: 'closed' })
  await createRoom(db, org, { customer: '+13125550001', deactivatedAt: new Date() })
  await createRoom(db, org, { customer: '+13125550002', expiredAt: new Date() })
  const texts = ['13125550001', '13125550002', '13125550003'].map((from) => message({ from }))
  await deliver(db, post(org.phones[0]!, ...texts), post('nobodys', message({})))
  const [dead, more] = await store(db, Buffer.from('x'), Buffer.from('y'))
  await db.$client.query(`update inbox set state = 'dead', error = 'e' where id >= $1`, [dead])
  const searches = ['%2B13125550001', 'US.13125550001', 'crm-1', texts[1]?.id, '13125550003']
  return {
    pages: [
      ...['', `?org=${org.id}`, '/stuck', `/stuck?org=${org.id}&before=999999999`, `/stuck/${dead}`],
      ...['/stuck?replayed=1&first=0&last=99999999', '/lifecycle', `/lifecycle?org=${org.id}`],
      ...searches.flatMap((q) => [`/customer?q=${q}`, `/customer?q=${q}&org=${org.id}&text=show`]),
    ],
    changes: [`/stuck/${more}/replay`, '/stuck/replay'],
  }
}

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  let statements: Statement[]

  beforeAll(async () => {
    db = (await createTestDatabase()).db
    for (let i = 0; fill === 'loaded' && i < ORGS; i += 1) {
      const org = await createOrg(db, { inactivity_days: 30, expiry_days: 100 }, { users: USERS })
      await loadCustomers(db, org, CUSTOMERS / ORGS, USERS)
    }
    const { pages, changes } = await furnish()
    const server = await start()
    const ask = async (path: string, method = 'GET') => {
      const headers = { authorization: AUTHORIZATION }
      const { status } = await send(`${server.url}/console${path}`, { method, headers })
      expect([path, status < 400]).toEqual([path, true])
    }
    statements = await recordEverything(async () => {
      for (const path of pages) await ask(path)
      for (const path of changes) await ask(path, 'POST')
      await vi.waitUntil(() => isCounted(server.url), { timeout: 600_000 })
    })
    await db.$client.query(`update inbox set state = 'dead', error = 'e' where state = 'new'`)
    if (fill === 'loaded') await printTimes(pages, ask)
    await server.close(0)
  }, 1_800_000)

  it('no statement that a page waits for scans a big table, whatever the statistics say', async () => {
    const names = statements.map((s) => s.name)
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

async function isCounted(url: string): Promise<boolean> {
  const { body } = await send(`${url}/console/lifecycle`, { headers: { authorization: AUTHORIZATION } })
  return !body.includes('being counted')
}

/** For people: how long each page takes over so many customers; no test depends on it. */
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

/** For people: what PostgreSQL does for a statement, and reads. */
async function printPlan({ name, text, values }: Statement): Promise<void> {
  if (!/^\s*(select|with)/i.test(text)) return
  const { rows } = await db.$client.query(`explain (analyze, buffers, costs off) ${text}`, values)
  process.stdout.write(`\n${name || text}\n  ${rows.map((row) => row['QUERY PLAN']).join('\n  ')}\n`)
}
