import { expect, it } from 'vitest'
import { refusalOf } from '../../src/outbound/policy.ts'

const NOW = new Date('2026-11-21T12:00:00Z')
const hoursAgo = (n: number) => new Date(NOW.getTime() - n * 3_600_000)

it.each([
  ['active', 'AGENT', false, hoursAgo(23.9), undefined],
  ['active', 'AGENT', false, hoursAgo(24), 'OUTSIDE_WINDOW'],
  ['active', 'AGENT', false, null, 'OUTSIDE_WINDOW'],
  ['active', 'AGENT', true, null, undefined],
  ['active', 'CAMPAIGN', true, hoursAgo(99), undefined],
  ['deactivated', 'AGENT', true, hoursAgo(1), 'CHATROOM_IS_DEACTIVATED'],
  ['deactivated', 'CAMPAIGN', true, null, undefined],
  ['deactivated', 'CAMPAIGN', false, hoursAgo(1), undefined],
  ['deactivated', 'CAMPAIGN', false, null, 'OUTSIDE_WINDOW'],
  ['expired', 'CAMPAIGN', true, hoursAgo(1), 'CHATROOM_IS_EXPIRED_FOR_SENDING'],
  ['expired', 'AGENT', false, hoursAgo(1), 'CHATROOM_IS_EXPIRED_FOR_SENDING'],
] as const)(
  'into an %s chatroom, %s, template %s, last word %s: %s',
  (state, origin, isTemplate, lastInboundAt, refusal) => {
    expect(refusalOf({ origin, isTemplate }, { state, lastInboundAt }, NOW)).toBe(refusal)
  },
)
