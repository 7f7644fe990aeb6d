import { expect, it } from 'vitest'
import { refusalOf } from '../../src/outbound/policy.ts'

const NOW = new Date('2026-11-21T12:00:00Z')

it.each([
  ['active', 'AGENT', false, 23.9, undefined],
  ['active', 'AGENT', false, 24, 'OUTSIDE_WINDOW'],
  ['active', 'AGENT', false, null, 'OUTSIDE_WINDOW'],
  ['active', 'AGENT', true, null, undefined],
  ['active', 'CAMPAIGN', true, 99, undefined],
  ['deactivated', 'AGENT', true, 1, 'CHATROOM_IS_DEACTIVATED'],
  ['deactivated', 'CAMPAIGN', true, null, undefined],
  ['deactivated', 'CAMPAIGN', false, 1, undefined],
  ['deactivated', 'CAMPAIGN', false, null, 'OUTSIDE_WINDOW'],
  ['expired', 'CAMPAIGN', true, 1, 'CHATROOM_IS_EXPIRED_FOR_SENDING'],
  ['expired', 'AGENT', false, 1, 'CHATROOM_IS_EXPIRED_FOR_SENDING'],
] as const)(
  'a message into an %s chatroom by %s, template %s, %s h after the last message, is refused with %s',
  (state, origin, isTemplate, hours, refusal) => {
    const lastInboundAt = hours === null ? null : new Date(NOW.getTime() - hours * 3_600_000)
    expect(refusalOf({ origin, isTemplate }, { state, lastInboundAt }, NOW)).toBe(refusal)
  },
)
