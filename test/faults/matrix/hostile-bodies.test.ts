import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sign } from '../../../src/http/signature.ts'
import { startTestApi } from '../../support/api.ts'
import { startTestApp } from '../../support/app.ts'
import { publishFigure, rounds, SEED } from '../../support/figures.ts'
import { send } from '../../support/http.ts'
import { createOrg } from '../../support/org.ts'
import { APP_SECRET } from '../../support/post.ts'

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
    const answers: string[] = []
    const note = (how: string, status: number) => answers.push(`${how}: ${status}`)
    for (const body of bodies) {
      note('unsigned', (await send(url, { method: 'POST', body })).status)
      const headers = { 'x-hub-signature-256': sign(body, APP_SECRET), 'content-encoding': 'gzip' }
      note('encoded', (await send(url, { method: 'POST', body, headers })).status)
    }
    const inbox = await app.db.$client.query('select 1 from inbox')
    expect([inbox.rows.length, await count()]).toEqual([0, before])
    for (const body of bodies) note('signed', await app.post(body))
    for (const body of bodies.filter((b) => b.length < 1_000_000)) {
      const { status } = await api.call('POST', `/v2/org/${org.id}/contact`, { body })
      note('to the API', status)
    }
    await app.drained()
    expect(await count()).toEqual(before)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    const grownMB = Math.round((process.memoryUsage().rss - rss) / 1e6)
    expect(grownMB).toBeLessThan(400)
    const right = /unsigned: 401|encoded: 415|^signed: 200|to the API: (400|413|422)/
    const wrong = answers.filter((answer) => !right.test(answer))
    expect(wrong).toEqual([])
    publishFigure(20, {
      of: 'bodies, each unsigned, encoded, signed and to the API',
      n: bodies.length,
      seed: SEED,
      wrong,
    })
  })
})
