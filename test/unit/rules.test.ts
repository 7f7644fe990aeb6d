import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seqOf } from '../../src/rules/ledger-order.ts'
import { expiryOf, isExpired } from '../../src/rules/lifecycle.ts'
import { outboxIdSql, provisionalWamid, provisionalWamidSql } from '../../src/rules/provisional-wamid.ts'
import { IDEMPOTENCY_KEPT } from '../../src/rules/retention.ts'
import { firstUuidOf } from '../../src/rules/uuid-time.ts'
import { isWindowOpen, isWindowOpenSql, mayBeClosedSql } from '../../src/rules/window.ts'

const DAY = 86_400_000
const NOW = new Date('2026-11-21T12:00:00Z')
const ago = (days: number, ms = 0) => new Date(NOW.getTime() - days * DAY - ms)

describe('a contact', () => {
  it('expires so many days after its creation, to the millisecond', () => {
    const living = { createdAt: ago(30, -1), expiredAt: null }
    expect(expiryOf(living, 30)).toEqual(new Date(NOW.getTime() + 1))
    expect(isExpired(living, 30, NOW)).toBe(false)
    expect(isExpired({ createdAt: ago(30), expiredAt: null }, 30, NOW)).toBe(true)
  })

  it('never expires in an org without expiry', () => {
    const old = { createdAt: ago(9_999), expiredAt: null }
    expect([expiryOf(old, null), isExpired(old, null, NOW)]).toEqual([undefined, false])
  })

  it('that has expired stays so, whatever the org changes', () => {
    const expired = { createdAt: ago(60), expiredAt: ago(1) }
    expect(expiryOf(expired, 365)).toEqual(ago(1))
    expect([isExpired(expired, 365, NOW), isExpired(expired, null, NOW)]).toEqual([true, true])
  })
})

it('the window is open for 24 h less 30 s after a message, and closed for a customer who never wrote', () => {
  expect(isWindowOpen(ago(1, -30_001), NOW)).toBe(true)
  expect(isWindowOpen(ago(1, -30_000), NOW)).toBe(false)
  expect(isWindowOpen(null, NOW)).toBe(false)
})

it('seq orders messages by delivery, then by their place in it', () => {
  const place = fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 0, max: 4_095 }))
  fc.assert(
    fc.property(place, place, ([id, n], [otherId, m]) => {
      expect(Math.sign(seqOf(id, n) - seqOf(otherId, m))).toBe(Math.sign(id - otherId || n - m))
    }),
  )
  expect(seqOf(1, 5_000), 'never reaches into the next delivery').toBeLessThan(seqOf(2, 0))
})

it('the provisional wamid names the outbox row, in SQL as in TypeScript', () => {
  expect(provisionalWamid('1')).toBe('outbox:1')
  expect(provisionalWamidSql('o.id')).toBe(`'outbox:' || o.id`)
  expect(outboxIdSql('m')).toContain(`m.direction = 'out' and m.wamid ~ '^outbox:`)
})

it('the least UUIDv7 of a time is an expression of that time', () => {
  expect(firstUuidOf('now()')).toContain('extract(epoch from now())')
})

it('an Idempotency-Key protects a request for 24 h, as clients were promised', () => {
  expect(IDEMPOTENCY_KEPT).toBe('24 hours')
})

it('the SQL of the window speaks of the same times', () => {
  expect(isWindowOpenSql('at')).toContain(`'86370 seconds'`)
  expect(mayBeClosedSql('at')).toContain(`'86370 seconds'`)
})
