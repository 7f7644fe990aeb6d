import { afterAll, describe, expect, test } from 'vitest'
import { sign } from '../../src/http/signature.ts'
import { publishFigure } from '../support/figures.ts'
import { openSocket, send } from '../support/http.ts'
import {
  APP_SECRET,
  OLD_APP_SECRET,
  SECOND_VERIFY_TOKEN,
  signed,
  startReceiver,
  VERIFY_TOKEN,
} from '../support/receiver.ts'

const { database, metrics, url, hook, inserts, logged, post, stored, refusedFor } = await startReceiver()

describe('the handshake', () => {
  const ask = (params: [string, string][]) => send(`${hook}?${new URLSearchParams(params)}`)
  const right: [string, string][] = [
    ['hub.mode', 'subscribe'],
    ['hub.verify_token', VERIFY_TOKEN],
  ]

  test.each([['1158201444'], ['007'], ['1e3'], ['true'], ['<b>x</b> "ü+ %'], ['x'.repeat(1_000)]])(
    'echoes the challenge %s exactly, as plain text',
    async (challenge) => {
      const reply = await ask([...right, ['hub.challenge', challenge]])
      expect([reply.status, reply.body]).toEqual([200, challenge])
      expect(reply.headers['content-type']).toMatch(/^text\/plain/)
      expect(reply.headers['x-content-type-options']).toBe('nosniff')
    },
  )

  test('accepts each of several verify tokens, and not both at once', async () => {
    for (const [token, status] of [
      [VERIFY_TOKEN, 200],
      [SECOND_VERIFY_TOKEN, 200],
      [`${VERIFY_TOKEN},${SECOND_VERIFY_TOKEN}`, 403],
    ] as const) {
      const params: [string, string][] = [
        ['hub.mode', 'subscribe'],
        ['hub.verify_token', token],
        ['hub.challenge', '1158201444'],
      ]
      expect((await ask(params)).status).toBe(status)
    }
  })

  const refused: Record<string, [string, string][]> = {
    'no parameters': [],
    'no challenge': right,
    'an empty challenge': [...right, ['hub.challenge', '']],
    'a challenge of 1,001 characters': [...right, ['hub.challenge', 'x'.repeat(1_001)]],
    'no token': [
      ['hub.mode', 'subscribe'],
      ['hub.challenge', '1'],
    ],
    'a wrong token': [
      ['hub.mode', 'subscribe'],
      ['hub.verify_token', `${VERIFY_TOKEN} `],
      ['hub.challenge', '1'],
    ],
    'another mode': [
      ['hub.mode', 'unsubscribe'],
      ['hub.verify_token', VERIFY_TOKEN],
      ['hub.challenge', '1'],
    ],
    'no mode': [
      ['hub.verify_token', VERIFY_TOKEN],
      ['hub.challenge', '1'],
    ],
    'two challenges': [...right, ['hub.challenge', '1'], ['hub.challenge', '2']],
    'two tokens': [...right, ['hub.verify_token', 'other'], ['hub.challenge', '1']],
    'two modes': [...right, ['hub.mode', 'subscribe'], ['hub.challenge', '1']],
  }
  test.each(Object.keys(refused))('answers 403 to %s', async (what) => {
    const before = await refusedFor('handshake')
    const reply = await ask(refused[what] ?? [])
    expect([reply.status, reply.body]).toEqual([403, 'Forbidden'])
    expect(await refusedFor('handshake')).toBe(before + 1)
  })
})

describe('a signed delivery', () => {
  test('is stored and answered 200', async () => {
    const before = (await metrics.acknowledged.get()).values[0]?.value ?? 0
    const body = Buffer.from('{"object":"whatsapp_business_account","entry":[]}')
    const reply = await post(body)
    expect([reply.status, reply.body]).toEqual([200, 'ok'])
    expect(await stored()).toEqual([body])
    expect((await metrics.acknowledged.get()).values[0]?.value).toBe(before + 1)
  })

  test('may be signed with any of the app secrets', async () => {
    const body = Buffer.from('{}')
    const reply = await post(body, { headers: { 'x-hub-signature-256': sign(body, OLD_APP_SECRET) } })
    expect(reply.status).toBe(200)
  })

  const hostile: Record<string, Buffer> = {
    'an empty body': Buffer.alloc(0),
    'not JSON': Buffer.from('what is this'),
    'JSON that is not an object': Buffer.from('[1e400, null]'),
    'an unknown object': Buffer.from('{"object":"page","entry":[{}]}'),
    'escaped NUL': Buffer.from('{"a":"\\u0000"}'),
    'raw NUL bytes': Buffer.from([0, 1, 0, 255, 0]),
    'invalid UTF-8': Buffer.from([0x7b, 0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0x7d]),
    'a byte order mark': Buffer.from('\ufeff{}'),
    'unpaired surrogates': Buffer.from('{"a":"\\ud800","b":"\\udc00x"}'),
    '__proto__ and constructor': Buffer.from('{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}'),
    '100,000 levels of arrays': Buffer.from('['.repeat(100_000) + ']'.repeat(100_000)),
    '100,000 levels of objects': Buffer.from(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    'SQL and quotes': Buffer.from(`'); drop table inbox; -- \\x00 {NULL,"a"}`),
    'all 256 byte values': Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    '3 MB': Buffer.alloc(3_000_000, 'ab\u0000'),
    'exactly 4 MB': Buffer.alloc(4 * 1024 * 1024, 7),
  }
  test.each(Object.keys(hostile))('of %s is stored byte for byte and answered 200', async (what) => {
    const body = hostile[what] ?? Buffer.alloc(0)
    expect((await post(body)).status).toBe(200)
    const rows = await stored()
    expect(rows.length).toBe(1)
    expect(rows[0]?.equals(body)).toBe(true)
  })

  test('may come in chunks, without content-length', async () => {
    const chunks = [Buffer.from('{"a":'), Buffer.from('"é'.repeat(9)), Buffer.alloc(300_000, 1)]
    const body = Buffer.concat(chunks)
    expect((await post(body, { body: chunks })).status).toBe(200)
    expect((await stored())[0]?.equals(body)).toBe(true)
  })

  test.each([
    '/webhooks/whatsapp/',
    '/webhooks/whatsapp?a=1',
    '/webhooks/whatsapp/?a=1',
    '/mounted/hooks',
    '/mounted/hooks/?a=1',
  ])('is accepted at %s too', async (path) => {
    const body = Buffer.from('{}')
    const headers = signed(body)
    expect((await send(url + path, { method: 'POST', body, headers })).status).toBe(200)
    expect((await stored()).length).toBe(1)
  })

  test('is accepted at an absolute-form target too', async () => {
    const body = '{"absolute":true}'
    const { socket, closed } = await openSocket(url)
    const signature = `x-hub-signature-256: ${sign(Buffer.from(body), APP_SECRET)}`
    socket.write(
      `POST http://usher.example/webhooks/whatsapp?a=1 HTTP/1.1\r\nhost: usher.example\r\n${signature}\r\n`,
    )
    socket.write(`connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    expect(await closed).toMatch(/^HTTP\/1.1 200 [\s\S]*\r\n\r\nok$/)
    expect((await stored()).map(String)).toEqual([body])
  })

  test.each([
    '/webhooks/whatsapp/x',
    '/webhooks/whatsappx',
    '/webhooks',
    '/x/webhooks/whatsapp',
    '/mounted/hooks/x',
  ])('is answered 404 at %s', async (path) => {
    const body = Buffer.from('{}')
    const headers = signed(body)
    const reply = await send(url + path, { method: 'POST', body, headers })
    expect(reply.status).toBe(404)
    expect(JSON.parse(reply.body)).toMatchObject({ error_code: 4040001, payload: {} })
    expect(await stored()).toEqual([])
  })

  test('that something else has read already is answered 500, and not stored', async () => {
    const body = Buffer.from('{}')
    const headers = { ...signed(body), 'content-type': 'application/json' }
    const reply = await send(`${url}/mounted/read`, { method: 'POST', body, headers })
    expect(reply.status).toBe(500)
    expect(await stored()).toEqual([])
    expect(logged()).toMatch(/must be mounted before anything that reads request bodies/)
  })

  test('shares its insert with others that arrive at the same time, and each is stored once', async () => {
    const bodies = Array.from({ length: 300 }, (_, i) => Buffer.from(`{"n":${i}}`))
    // The first insert waits for this lock until a request that was sent after all the others is answered.
    const rival = await database.pool.connect()
    await rival.query('begin; lock table inbox in access exclusive mode')
    const posts = bodies.map((body) => post(body))
    await send(url)
    await rival.query('commit')
    rival.release()
    const replies = await Promise.all(posts)
    expect(replies.every((reply) => reply.status === 200)).toBe(true)
    expect(new Set((await stored()).map(String))).toEqual(new Set(bodies.map(String)))
    expect(inserts().flat().length).toBe(300)
    expect(inserts().length).toBeLessThan(150)
  })

  test('is answered 200 also if announcing it to the queue fails', async () => {
    expect((await post(Buffer.from('{}'))).status).toBe(200)
    expect(inserts().length).toBe(1)
  })
})

describe('a delivery', () => {
  const body = Buffer.from('{"object":"whatsapp_business_account","entry":[]}')
  const right = sign(body, APP_SECRET)
  const wrong: Record<string, string | string[] | undefined> = {
    missing: undefined,
    empty: '',
    'without its prefix': right.slice(7),
    'of the older kind': right.replace('sha256', 'sha1'),
    'in upper case': right.toUpperCase(),
    'too short': right.slice(0, -1),
    'too long': `${right}0`,
    'not hexadecimal': `${right.slice(0, -1)}g`,
    'off by one digit': right.slice(0, -1) + (right.endsWith('0') ? '1' : '0'),
    'made with another secret': sign(body, 'other'),
    'made over other bytes': sign(Buffer.from('{}'), APP_SECRET),
    'sent twice': [right, right],
  }
  const refused = new Set<string>()
  afterAll(() =>
    publishFigure(21, { of: 'kinds of wrong signature that got 401 and changed nothing', n: refused.size }),
  )
  test.each(Object.keys(wrong))(
    'with a signature that is %s is answered 401 without a reason, and not stored',
    async (what) => {
      const before = await refusedFor('signature')
      const header = wrong[what]
      const headers = header === undefined ? {} : { 'x-hub-signature-256': header }
      const reply = await send(hook, { method: 'POST', body, headers })
      expect([reply.status, reply.body]).toEqual([401, 'Unauthorized'])
      expect(await stored()).toEqual([])
      expect(await refusedFor('signature')).toBe(before + 1)
      for (const value of [header].flat()) expect(logged()).not.toContain(value || 'sha256')
      refused.add(what)
    },
  )
})
