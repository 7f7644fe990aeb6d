import { describe, expect, it } from 'vitest'
import { decide, type Ending, judge, pauseOf, reasonOf } from '../../src/event-push/decide.ts'

const answer = (status: number, retryAfter?: string): Ending => ({ status, retryAfter })
const none: Ending = { status: undefined, error: 'ECONNREFUSED' }
const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('the end of a request', () => {
  it.each([200, 201, 204, 299])('%i delivers the event', (status) => {
    expect(judge(answer(status))).toBe('delivered')
  })
  it.each([400, 401, 403, 404, 413, 422, 499])('%i rejects the event', (status) => {
    expect(judge(answer(status))).toBe('rejected')
  })
  it.each([100, 199, 300, 301, 307, 399, 408, 409, 425, 429, 500, 502, 503, 504, 599])(
    '%i says nothing about the event, which is tried again',
    (status) => {
      expect(judge(answer(status))).toBe('failed')
    },
  )
  it('without an answer, the event is tried again', () => expect(judge(none)).toBe('failed'))
  it('410 switches the endpoint off', () => expect(judge(answer(410))).toBe('gone'))
  it('has a reason that says nothing of the answer', () => {
    expect([none, answer(500), answer(302)].map(reasonOf)).toEqual([
      'no answer: ECONNREFUSED',
      'answer 500',
      'answer 302, a redirect',
    ])
  })
})

type Facts = Parameters<typeof decide>[0]
const facts = (ending: Ending, others: Partial<Facts> = {}): Facts => ({
  ...{ ending, trouble: { failures: 1, rejections: 0, ms: 0 }, endpointFailingMs: 0, pauseMs: 0, random: 0 },
  ...others,
})

describe('what follows', () => {
  it('a delivery is the next event', () => {
    expect(decide(facts(answer(200)))).toEqual({ kind: 'next' })
  })

  it('failures are tries after the waits of Standard Webhooks, the last of which stays', () => {
    const waits = Array.from({ length: 11 }, (_, i) => {
      const trouble = { failures: i + 1, rejections: 0, ms: 0 }
      const decision = decide(facts(none, { trouble }))
      return decision.kind === 'retry' && decision.waitMs / 1_000
    })
    const hours = [2, 5, 10, 14, 20, 24, 24, 24].map((n) => n * 3_600)
    expect(waits).toEqual([5, 300, 1_800, ...hours])
  })

  it('failures are up to a fifth later, by chance', () => {
    expect(decide(facts(none, { random: 1 }))).toEqual({ kind: 'retry', waitMs: 6_000 })
    expect(decide(facts(none, { random: 0.5 }))).toEqual({ kind: 'retry', waitMs: 5_500 })
  })

  it('Retry-After is a try that is not earlier than asked for', () => {
    expect(decide(facts(answer(429), { pauseMs: 60_000 }))).toEqual({ kind: 'retry', waitMs: 60_000 })
    expect(decide(facts(answer(503), { pauseMs: 1_000 }))).toEqual({ kind: 'retry', waitMs: 5_000 })
  })

  it('nine rejections are more tries, within about an hour, and the tenth is the end of the event', () => {
    const decisions = Array.from({ length: 10 }, (_, i) =>
      decide(facts(answer(400), { trouble: { failures: 0, rejections: i + 1, ms: 0 } })),
    )
    const waits = decisions.map((decision) => (decision.kind === 'retry' ? decision.waitMs : 0))
    expect(waits.slice(0, 9).every((ms) => ms > 0)).toBe(true)
    expect(waits.reduce((sum, ms) => sum + ms, 0) / HOUR).toBeCloseTo(1, 1)
    expect(decisions[9]).toEqual({ kind: 'give_up' })
  })

  it('three days of failures of the endpoint disables it', () => {
    expect(decide(facts(none, { endpointFailingMs: 3 * DAY - 1 })).kind).toBe('retry')
    expect(decide(facts(none, { endpointFailingMs: 3 * DAY }))).toEqual({
      kind: 'disable',
      reason: 'failing for three days; the last try: no answer: ECONNREFUSED',
    })
  })

  it('three days of failures of one event, while others are delivered, is the end of the event', () => {
    const trouble = { failures: 9, rejections: 0, ms: 3 * DAY }
    expect(decide(facts(answer(500), { trouble }))).toEqual({ kind: 'give_up' })
    expect(decide(facts(answer(500), { trouble: { ...trouble, ms: 3 * DAY - 1 } })).kind).toBe('retry')
    expect(decide(facts(answer(500), { trouble, endpointFailingMs: 3 * DAY })).kind).toBe('disable')
  })

  it('410 is the end of the endpoint', () => {
    expect(decide(facts(answer(410)))).toEqual({
      kind: 'disable',
      reason: 'the endpoint answered 410 Gone',
    })
  })
})

describe('Retry-After', () => {
  const now = new Date('2026-11-26T10:00:00Z')
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 26 Nov 2026 10:01:00 GMT', 60_000],
    ['Thu, 26 Nov 2026 09:00:00 GMT', 0],
    ['999999999', DAY],
    ['soon', 0],
    ['-5', 0],
    ['1.5', 0],
  ])('%s asks for %i ms', (value, ms) => {
    expect(pauseOf(answer(429, value), now)).toBe(ms)
  })
  it('is absent where there is none, or no answer', () => {
    expect([pauseOf(answer(429), now), pauseOf(none, now)]).toEqual([0, 0])
  })
})
