import { channel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { startTestApi } from '../support/api.ts'
import { APP_SECRET, startTestApp, type TestApp } from '../support/app.ts'
import { createTestDatabase } from '../support/database.ts'
import { seededRandom } from '../support/faults/random.ts'
import { measured, rounds, SEED } from '../support/figures.ts'
import { accepts, type Reply, startGraph } from '../support/graph.ts'
import { send } from '../support/http.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, createSendingOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

describe('deliveries in any order', () => {
  const MESSAGES = 200
  const EPOCH = 1_790_000_000_000

  /** An org whose customers have an active, a deactivated, an expired or no chatroom, and one message of ours. */
  async function openOrg(db: TestApp['db']): Promise<TestOrg> {
    const org = await createOrg(db)
    for (const [i, columns] of [
      {},
      { deactivatedAt: new Date(EPOCH) },
      { expiredAt: new Date(EPOCH) },
    ].entries())
      for (const nth of [0, 1, 2, 3])
        await createRoom(db, org, { customer: `+1555000${i}00${nth}`, ...columns })
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       select $1, 'ours.' || n, $2, 'out', 'text', now(), now(), n, 'sent', '{}' from generate_series(0, 9) as n`,
      [org.id, org.phones[0]],
    )
    return org
  }

  const posts = (org: TestOrg) =>
    Array.from({ length: MESSAGES }, (_, i) => {
      const m = { from: `1555000${i % 4}00${i % 3}`, id: `wamid.${i}`, at: new Date(EPOCH + i * 60_000) }
      const ghost = { ...m, type: 'unsupported', extra: { errors: [{ code: 131051 }] } }
      const words = ['sent', 'delivered', 'read']
      const statuses = [{ id: `ours.${i % 10}`, status: words[i % 3], timestamp: '1790416832' }]
      const real = bytes(delivery([change(org.phones[0]!, { messages: [message(m)], statuses })]))
      return i % 5 === 0 ? [real, post(org.phones[0]!, message(ghost))] : i % 7 === 0 ? [real, real] : [real]
    }).flat()

  async function outcome(db: TestApp['db'], org: TestOrg) {
    const messages = await db.$client.query(
      `select m.wamid, m.type, m.status, m.payload::text, k.phone, r.state, r.last_inbound_at
       from messages m left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
       left join contacts k on k.org_id = r.org_id and k.id = r.contact_id where m.org_id = $1 order by 1`,
      [org.id],
    )
    return messages.rows
  }

  it('and repeated come to the same messages, chatrooms, statuses and times', async () => {
    const { db } = await createTestDatabase()
    const random = seededRandom(SEED)
    const reference = await openOrg(db)
    await deliver(db, ...posts(reference))
    const expected = await outcome(db, reference)
    expect(expected).toHaveLength(MESSAGES + 10)
    const orders = rounds(8)
    for (let i = 0; i < orders; i++) {
      const org = await openOrg(db)
      const mixed = random.shuffled([...posts(org), ...posts(org).slice(0, 40)])
      for (let at = 0; at < mixed.length; ) {
        const size = random.int(1, 60)
        await deliver(db, ...mixed.slice(at, at + size))
        at += size
      }
      expect(await outcome(db, org)).toEqual(expected)
    }
    measured(17, { of: `orders of ${MESSAGES} messages`, n: orders, seed: SEED, wrong: 0 })
  })
})

describe('unreadable items', () => {
  const deep = `{"id":"${newWamid()}","from":"1","type":"text","text":${'['.repeat(10_000)}${']'.repeat(10_000)}}`
  const bad = [7, null, 'x', [], { ...message({}), id: undefined }, { id: newWamid(), type: 'text' }, 'DEEP']

  it('in a delivery leave the others alone: those are routed, and its very bytes are kept', async () => {
    const app = await startTestApp('postgres')
    const org = await createOrg(app.db)
    const odd = [
      message({ body: 'a\u0000b' }),
      message({ body: 'lone \ud800 surrogate' }),
      message({ type: 'invented', extra: { invented: { a: [1, 2, {}] } } }),
    ]
    const good = [...odd, ...Array.from({ length: 190 }, () => message({}))]
    const items = seededRandom(SEED).shuffled([...good, ...bad])
    const text = post(org.phones[0]!, ...items)
      .toString()
      .replace('"DEEP"', deep)
    expect(await app.post(Buffer.from(text))).toBe(200)
    await app.drained()
    const { rows } = await app.db.$client.query(
      `select (select count(*)::int from messages where wamid = any($1)) as routed,
         (select array_agg(convert_from(body, 'UTF8')) from inbox where state = 'dead') as kept,
         (select min(error) from inbox) as error`,
      [good.map((m) => m.id)],
    )
    expect(rows[0]).toMatchObject({ routed: good.length, kept: [text] })
    expect(rows[0].error.split('; ')).toHaveLength(bad.length)
    measured(19, {
      of: 'items',
      n: items.length,
      seed: SEED,
      lost: 0,
      also: { routed: good.length, kept: bad.length },
    })
  })
})

const JSONS = [
  ...[
    '',
    ' ',
    '{',
    '[]',
    '{}',
    'null',
    '1e400',
    '"x"',
    '\ufeff{}',
    '{"a":1,"a":2}',
    '[1,2',
    '{"object":1e999}',
  ],
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  '{"object":"whatsapp_business_account","entry":[{"__proto__":{"polluted":1},"changes":{"length":9e9}}]}',
  '{"object":"whatsapp_business_account","entry":[{"id":{},"changes":[{"field":{},"value":[]}]}]}',
  '{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"metadata":[]}}]}]}',
  `${'['.repeat(100_000)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
].map((text) => Buffer.from(text))

describe('hostile bytes and JSON', () => {
  const hostile = [
    ...JSONS,
    Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
    Buffer.from([0xc0, 0x80]),
    Buffer.from('{}', 'utf16le'),
    gzipSync(Buffer.alloc(50_000_000)),
    Buffer.alloc(3_000_000, '['),
  ]

  it('are never a 5xx, and change nothing without a signature', async () => {
    const app = await startTestApp('postgres')
    const api = await startTestApi(app.db)
    const org = await createOrg(app.db)
    const tables = ['messages', 'customers', 'chatrooms', 'account_events']
    const count = async () =>
      (await app.db.$client.query(`select ${tables.map((t) => `(select count(*) from ${t}) as ${t}`)}`))
        .rows[0]
    const before = await count()
    const rss = process.memoryUsage().rss
    const runs = rounds(150)
    const random = fc
      .sample(fc.uint8Array({ maxLength: 300 }), { seed: SEED, numRuns: runs })
      .map((b) => Buffer.from(b))
    const bodies = [...hostile, ...random]
    const url = `${app.url}/webhooks/whatsapp`
    for (const body of bodies) {
      expect((await send(url, { method: 'POST', body })).status).toBe(401)
      const headers = { 'x-hub-signature-256': sign(body, APP_SECRET), 'content-encoding': 'gzip' }
      expect((await send(url, { method: 'POST', body, headers })).status).toBe(415)
    }
    const inbox = await app.db.$client.query('select 1 from inbox')
    expect([inbox.rows.length, await count()]).toEqual([0, before])
    for (const body of bodies) expect(await app.post(body)).toBe(200)
    for (const body of bodies.filter((b) => b.length < 1_000_000)) {
      const { status } = await api.call('POST', `/v2/org/${org.id}/contact`, { body })
      expect([400, 413, 422]).toContain(status)
    }
    await app.drained()
    expect(await count()).toEqual(before)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    const grownMB = Math.round((process.memoryUsage().rss - rss) / 1e6)
    expect(grownMB).toBeLessThan(400)
    measured(20, {
      of: 'bodies, each unsigned, encoded, signed and to the API',
      n: bodies.length,
      seed: SEED,
      wrong: 0,
    })
  })
})

const SQL = [
  `'; drop table messages; --`,
  `" or ""="`,
  `1' or '1'='1`,
  `x'); delete from orgs; --`,
  `$1`,
  `$$; select pg_sleep(9); $$`,
  `\\'; truncate inbox; --`,
  `' union select body from inbox --`,
  `%27%3B%20drop%20table%20inbox`,
  `{a,"b',c}`,
  `E'\\x00'::bytea`,
  `';copy messages to '/tmp/x';--`,
]

/** Copies of a value in each of which one string is replaced. */
function inEachString(value: unknown, text: string): unknown[] {
  if (typeof value === 'string') return [text]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    inEachString(inner, text).map((changed) => {
      const copy = Array.isArray(value) ? [...value] : { ...value }
      return Object.assign(copy, { [key]: changed })
    }),
  )
}

describe('SQL', () => {
  const shape = JSON.parse(readFileSync('test/fixtures/webhooks/odd/messages_and_statuses.json', 'utf8'))

  it('in every field of a webhook is kept as the text it is', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db)
    const text = JSON.stringify(shape)
      .replaceAll('{{phone}}', org.phones[0]!)
      .replaceAll('{{waba}}', org.wabaId)
    const body = JSON.parse(text.replaceAll('{{now}}', '1790416832'))
    let tried = 0
    for (const sql of SQL) {
      const bodies = inEachString(body, sql).map((b) =>
        Buffer.from(JSON.stringify(b).replaceAll('{{run}}', newWamid)),
      )
      const { outcomes } = await deliver(db, ...bodies)
      expect(outcomes).toHaveLength(bodies.length)
      tried += bodies.length
      const m = message({ id: `${sql} ${newWamid()}`, from: '15550009999', body: sql })
      await deliver(
        db,
        bytes(
          delivery([
            change(org.phones[0]!, { messages: [m], contacts: [{ wa_id: m.from, profile: { name: sql } }] }),
          ]),
        ),
      )
      const { rows } = await db.$client.query('select payload, contact from messages where wamid = $1', [
        m.id,
      ])
      expect([rows[0].payload.text.body, rows[0].contact.profile.name]).toEqual([sql, sql])
    }
    measured(24, { of: 'webhooks with SQL in one field', n: tried, wrong: 0 })
  })

  it('in every parameter and field of the API is refused or kept as the text it is', async () => {
    const { db } = await createTestDatabase()
    const org = await createOrg(db)
    const api = await startTestApi(db)
    const address = (path: string, sql: string) =>
      path.replace('{orgId}', org.id).replace(/\{\w+\}/g, encodeURIComponent(sql))
    const body = (sql: string) => ({
      crm_id: sql,
      first_name: sql,
      last_name: sql,
      stage: sql,
      source: sql,
      disposition: sql,
      user_id: sql,
      additional_fields: { [sql]: sql },
    })
    let tried = 0
    for (const sql of SQL) {
      for (const { method, path } of ENDPOINTS) {
        const query = ['phone', 'user_id', 'remote_phone_id', 'before', 'limit'].map(
          (name) => `${name}=${encodeURIComponent(sql)}`,
        )
        const asked = [address(path, sql), ...query.map((q) => `${address(path, sql)}?${q}`)]
        for (const where of asked) {
          const { status } = await api.call(method, where, { ...(method !== 'get' && { body: body(sql) }) })
          expect([where, status < 500]).toEqual([where, true])
          tried += 1
        }
      }
      const lead = {
        crm_id: sql,
        first_name: sql,
        opt_in_date: 1_790_000_000,
        phone_number: { rawInput: '+15550001111' },
      }
      const made = await api.call('POST', `/v2/org/${org.id}/contact`, { body: lead })
      const { rows } = await db.$client.query('select crm_id, first_name from contacts where id = $1', [
        made.body.id,
      ])
      expect(rows).toEqual([{ crm_id: sql, first_name: sql }])
    }
    const { rows } = await db.$client.query('select count(*)::int as orgs from orgs')
    expect(rows).toEqual([{ orgs: 1 }])
    measured(24, { of: 'API calls with SQL in path, query and body', n: tried, wrong: 0 })
  })
})

describe('URLs', () => {
  const privates = [
    'http://127.0.0.1:PORT/a',
    'http://[::ffff:127.0.0.1]:PORT/b',
    'http://2130706433:PORT/c',
    'http://localhost:PORT/d',
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
  ]

  it('in messages are never fetched, redirects never followed: Usher talks to the Graph API and its stores only', async () => {
    const redirect: Reply = (res) => res.writeHead(307, { location: `${canary.url}/redirected` }).end()
    const canary = await startGraph()
    const graph = await startGraph(redirect, accepts)
    const attempts: string[] = []
    const listen = ({ socket }: { socket: Socket }) =>
      void socket.on('connectionAttempt', (_ip: string, port: number) => attempts.push(String(port)))
    const sockets = channel('net.client.socket')
    const app = await startTestApp('postgres', { GRAPH_API_URL: graph.url, SECRETS_KEY })
    const org = await createSendingOrg(app.db)
    await createRoom(app.db, org, { expiredAt: new Date(Date.now() - 1_000) })
    sockets.subscribe(listen as (message: unknown) => void)
    const port = new URL(canary.url).port
    for (const url of privates.map((u) => u.replace('PORT', port))) {
      const media = { id: '1', url, link: url, sha256: 'x', mime_type: 'image/png' }
      const item = message({
        type: 'image',
        extra: { image: media, callback_url: url, context: { referred: url } },
      })
      expect(await app.post(post(org.phones[0]!, item))).toBe(200)
    }
    await app.drained()
    await expect.poll(() => graph.requests.length, { timeout: 10_000 }).toBeGreaterThan(1)
    const state = () => app.db.$client.query(`select 1 from outbox where state in ('queued', 'sending')`)
    await expect.poll(async () => (await state()).rows.length, { timeout: 10_000 }).toBe(0)
    sockets.unsubscribe(listen as (message: unknown) => void)
    const known = [app.url, graph.url, app.databaseUrl].map((url) => new URL(url ?? '').port)
    expect(attempts.filter((p) => !known.includes(p))).toEqual([])
    expect(attempts).toContain(new URL(graph.url).port)
    expect(canary.requests).toEqual([])
    measured(28, {
      of: 'URLs and a redirect',
      n: privates.length + 1,
      wrong: 0,
      also: { connections: attempts.length },
    })
  })
})
