import { expect, it } from 'vitest'
import { refusalOf } from '../../src/outbound/policy.ts'

const NOW = new Date('2026-11-21T12:00:00Z')

type Recipient = Parameters<typeof refusalOf>[1]
const room = (state: Recipient['state'], more: Partial<Recipient> = {}): Recipient => ({
  ...{ state, windowSince: NOW, optedOut: false, marketingPausedUntil: null },
  ...more,
})

it.each([
  ['active', 'AGENT', false, 23.99, undefined],
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
    const windowSince = hours === null ? null : new Date(NOW.getTime() - hours * 3_600_000)
    expect(refusalOf({ origin, isTemplate }, room(state, { windowSince }), NOW)).toBe(refusal)
  },
)

it.each([
  ['CAMPAIGN', true, 'CUSTOMER_OPTED_OUT'],
  ['CAMPAIGN', false, 'CUSTOMER_OPTED_OUT'],
  ['AGENT', true, undefined],
  ['AGENT', false, undefined],
] as const)(
  'to a customer who stopped marketing, a message by %s, template %s, is refused with %s',
  (origin, isTemplate, refusal) => {
    const recipient = room('active', { optedOut: true })
    expect(refusalOf({ origin, isTemplate }, recipient, NOW)).toBe(refusal)
  },
)

it.each([
  ['CAMPAIGN', 1, 'MARKETING_PAUSED'],
  ['CAMPAIGN', 0, undefined],
  ['CAMPAIGN', -1, undefined],
  ['AGENT', 1, undefined],
] as const)(
  'while Meta takes no marketing, a message by %s, %s s before the end, is refused with %s',
  (origin, s, refusal) => {
    const recipient = room('active', { marketingPausedUntil: new Date(NOW.getTime() + s * 1000) })
    expect(refusalOf({ origin, isTemplate: true }, recipient, NOW)).toBe(refusal)
  },
)
