import { describe, expect, it } from 'vitest'
import { backoffMs, classifyFailure, classifyReply } from '../../src/outbound/send-errors.ts'

const reply = (status: number, body: unknown, retryAfter: string | null = null) =>
  classifyReply({ status, body, retryAfter })
const graphError = (code: number, status = 400) => reply(status, { error: { code } })

describe('a reply of the Graph API', () => {
  it('accepts a message when it names it', () => {
    const body = { messages: [{ id: 'wamid.X' }], contacts: [{ wa_id: '1555' }] }
    expect(reply(200, body)).toEqual({ kind: 'accepted', wamid: 'wamid.X', waId: '1555' })
    expect(reply(200, { messages: [{ id: 'wamid.X' }] })).toMatchObject({ kind: 'accepted', waId: undefined })
    expect(reply(200, { ...body, contacts: [{ wa_id: '' }] })).toMatchObject({ waId: undefined })
  })

  it.each([
    ['200 with junk', 200, 'junk', 'unknown'],
    ['200 with an empty id', 200, { messages: [{ id: '' }] }, 'unknown'],
    ['500 with a page of a proxy', 500, undefined, 'unknown'],
    ['502 with another JSON', 502, { error: 'bad gateway' }, 'unknown'],
    ['500 with a Graph error', 500, { error: { code: 99 } }, 'retry'],
    ['429 without a Graph error', 429, undefined, 'retry'],
    ['404 without a Graph error', 404, undefined, 'failed'],
  ])('%s', (_, status, body, kind) => {
    expect(reply(status, body).kind).toBe(kind)
  })

  it.each([1, 2, 4, 80007, 130429, 131000, 131016, 131056, 131057, 133004])('retries %i', (code) => {
    expect(graphError(code).kind).toBe('retry')
  })

  it.each([0, 3, 10, 190, 200, 299, 368, 131005, 131031])('stops the number for %i', (code) => {
    expect(graphError(code, code === 190 ? 401 : 400).kind).toBe('number_refused')
  })

  it.each([33, 100, 130472, 130497, 131026, 131047, 131048, 131049, 131050, 131062, 132000, 133010])(
    'gives up for %i',
    (code) => {
      expect(graphError(code).kind).toBe('failed')
    },
  )

  it('waits as long as Retry-After says', () => {
    expect(reply(429, { error: { code: 130429 } }, '30')).toMatchObject({
      afterMs: 30_000,
      pairLimited: false,
    })
    expect(reply(429, undefined, 'soon')).toMatchObject({ afterMs: undefined })
    expect(graphError(131056)).toMatchObject({ pairLimited: true })
  })
})

describe('a request without a reply', () => {
  it('was not sent when there was no connection, and is unknown in all other cases', () => {
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']) {
      expect(classifyFailure(code).kind).toBe('retry')
    }
    for (const code of ['ECONNRESET', 'UND_ERR_SOCKET', 'TimeoutError', 'EPIPE']) {
      expect(classifyFailure(code).kind).toBe('unknown')
    }
  })
})

describe('the wait before the next try', () => {
  it('doubles, for the pair rate quadruples, obeys Retry-After, and ends at 10 min', () => {
    const plain = { afterMs: undefined, pairLimited: false }
    expect([1, 2, 3, 40].map((n) => backoffMs(n, plain))).toEqual([2_000, 4_000, 8_000, 600_000])
    expect([1, 2].map((n) => backoffMs(n, { ...plain, pairLimited: true }))).toEqual([4_000, 16_000])
    expect(backoffMs(1, { ...plain, afterMs: 30_000 })).toBe(30_000)
    expect(backoffMs(1, { ...plain, afterMs: 9_000_000 })).toBe(600_000)
  })
})
