import { describe, expect, it } from 'vitest'
import { backoffMs, classifyFailure, classifyReply } from '../../src/outbound/send-errors.ts'

const reply = (status: number, body: unknown, retryAfter: string | null = null, isTemplate = false) =>
  classifyReply({ status, body, retryAfter }, isTemplate)
const graphError = (code: number, status = 400) => reply(status, { error: { code } })

describe('a reply of the Graph API', () => {
  it('means accepted if it names the message', () => {
    const body = { messages: [{ id: 'wamid.X' }], contacts: [{ wa_id: '1555' }] }
    const accepted = { kind: 'accepted', wamid: 'wamid.X', waId: '1555', notice: undefined }
    expect(reply(200, body)).toEqual(accepted)
    expect(reply(200, { messages: [{ id: 'wamid.X' }] })).toMatchObject({ kind: 'accepted', waId: undefined })
    expect(reply(200, { ...body, contacts: [{ wa_id: '' }] })).toMatchObject({ waId: undefined })
  })

  it.each([
    ['200 with other content', 'unknown', 200, 'junk'],
    ['200 with an empty id', 'unknown', 200, { messages: [{ id: '' }] }],
    ['500 with a page of a proxy', 'unknown', 500, undefined],
    ['502 with other JSON', 'unknown', 502, { error: 'bad gateway' }],
    ['500 with an unknown code', 'failed', 500, { error: { code: 99 } }],
    ['500 with an unknown code that is transient', 'retry', 500, { error: { code: 99, is_transient: true } }],
    [
      '400 with a code that fails, said to be lasting',
      'failed',
      400,
      { error: { code: 100, is_transient: false } },
    ],
    ['429 with an unknown code', 'retry', 429, { error: { code: 99 } }],
    ['401 with the code as text', 'number_refused', 401, { error: { code: '190' } }],
    ['500 with the code of a certificate', 'number_refused', 500, { error: { code: 131045 } }],
    ['429 without a Graph error', 'retry', 429, undefined],
    ['404 without a Graph error', 'failed', 404, undefined],
  ])('%s means %s', (_, kind, status, body) => {
    expect(reply(status, body).kind).toBe(kind)
  })

  it.each([1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004])(
    'means retry with error %i',
    (code) => {
      expect(graphError(code).kind).toBe('retry')
    },
  )

  it.each([0, 3, 10, 190, 200, 299, 368, 131005, 131031, 131042, 131045, 133010])(
    'means that the number stops with error %i',
    (code) => {
      expect(graphError(code, code === 190 ? 401 : 400).kind).toBe('number_refused')
    },
  )

  it.each([33, 100, 130472, 130497, 131026, 131047, 131048, 131049, 131050, 131062, 132000, 133005])(
    'means failed with error %i',
    (code) => {
      expect(graphError(code).kind).toBe('failed')
    },
  )

  it.each([
    ['0, of the account', 0, 'number_refused'],
    ['10, of its permission', 10, 'failed'],
    ['200, of its permission', 200, 'failed'],
    ['190, of the token', 190, 'number_refused'],
  ])('to a template means with error %s', (_, code, kind) => {
    expect(reply(403, { error: { code } }, null, true).kind).toBe(kind)
  })

  it('that refuses for good shows the text of Meta, and keeps it out of what is logged', () => {
    const body = (error: object) => reply(400, { error: { code: 131999, ...error } })
    const title = 'Graph error 131999 (HTTP 400)'
    expect(body({ message: 'no such thing', error_data: { details: 'of +1555' } })).toEqual({
      ...{ kind: 'failed', error: title },
      shown: { code: 131999, title, message: 'no such thing', error_data: { details: 'of +1555' } },
    })
    expect(body({ error_user_msg: 'Ask somebody' })).toMatchObject({
      shown: { error_data: { details: 'Ask somebody' } },
    })
    expect(body({ message: 7, error_data: 'x' })).toMatchObject({ shown: { code: 131999, title } })
    const long = body({ message: 'x'.repeat(5_000) })
    expect(long.kind === 'failed' && long.shown.message).toHaveLength(1_000)
  })

  it('that accepts a message but holds it says so', () => {
    const accepted = (item: object, more = {}) =>
      reply(200, { messages: [{ id: 'wamid.X', ...item }], ...more })
    const word = 'held_for_quality_assessment'
    expect(accepted({ message_status: word })).toMatchObject({ kind: 'accepted', notice: { title: word } })
    expect(accepted({}, { message_status: word })).toMatchObject({ notice: { title: word } })
    expect(accepted({ message_status: 'accepted' })).toMatchObject({ notice: undefined })
  })

  it('gives the time of Retry-After', () => {
    expect(reply(429, { error: { code: 130429 } }, '30')).toMatchObject({
      afterMs: 30_000,
      pairLimited: false,
    })
    expect(reply(429, undefined, 'soon')).toMatchObject({ afterMs: undefined })
    expect(graphError(131056)).toMatchObject({ pairLimited: true })
  })
})

describe('a request without a reply', () => {
  it('means retry if nothing of it has left, and unknown in all other cases', () => {
    const code = 'ECONNRESET'
    expect(classifyFailure({ code, hasLeft: false })).toMatchObject({
      kind: 'retry',
      error: `not sent: ${code}`,
    })
    expect(classifyFailure({ code, hasLeft: true })).toEqual({ kind: 'unknown', error: `no reply: ${code}` })
  })
})

describe('the wait before the next try', () => {
  it('doubles, or quadruples for the pair rate, obeys Retry-After, and is at most 10 minutes', () => {
    const plain = { afterMs: undefined, pairLimited: false }
    expect([1, 2, 3, 40].map((n) => backoffMs(n, plain))).toEqual([2_000, 4_000, 8_000, 600_000])
    expect([1, 2].map((n) => backoffMs(n, { ...plain, pairLimited: true }))).toEqual([4_000, 16_000])
    expect(backoffMs(1, { ...plain, afterMs: 30_000 })).toBe(30_000)
    expect(backoffMs(1, { ...plain, afterMs: 9_000_000 })).toBe(600_000)
  })
})
