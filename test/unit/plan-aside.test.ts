import { describe, expect, it } from 'vitest'
import type { KnownMessage } from '../../src/messages/read-known-messages.ts'
import { customersToLock, ledgerEntriesOf, pairsOf } from '../../src/routing/lookups.ts'
import { planBatch } from '../../src/routing/plan.ts'
import type { Arrival } from '../../src/routing/planned.ts'
import { ledgerKey, pairKey } from '../../src/rules/keys.ts'
import { IDEMPOTENCY_KEPT } from '../../src/rules/retention.ts'
import type { InboundMessage } from '../../src/webhook/items.ts'
import { DAY, earlier, messageOf, NOW, roomOf, settingsOf } from '../support/rooms.ts'

function arrival(change: Partial<InboundMessage>, customerId: string | undefined = 'c'): Arrival {
  return { orgId: 'o', customerId, settings: settingsOf({ autoReplyBurst: 1 }), message: messageOf(change) }
}

const withoutCustomer = (change: Partial<InboundMessage>): Arrival => ({
  ...arrival(change),
  customerId: undefined,
})
const pair = { orgId: 'o', customerId: 'c', phoneId: 'p' }
const rooms = new Map([
  [pairKey(pair), [roomOf('asleep', { deactivatedAt: earlier(DAY) }), roomOf('gone', { expiredAt: NOW })]],
])
const plan = (arrivals: Arrival[], messages = new Map<string, KnownMessage>()) =>
  planBatch(arrivals, { rooms, messages }, NOW, () => 'id')

describe('a message without a customer', () => {
  it.each([
    ['own', 'a number of the org itself'],
    ['import', 'Meta names no customer'],
  ] as const)('of nature %s is stored in no chatroom, and its reason says why', (nature, reason) => {
    const { messages, rooms: changed, replies } = plan([withoutCustomer({ nature })])
    expect(messages).toMatchObject([{ route: null, roomId: null, reason, customerId: undefined }])
    expect([changed, replies]).toEqual([[], []])
  })

  it('completes a ghost that is in the ledger', () => {
    const known = new Map([
      [
        ledgerKey({ orgId: 'o', wamid: 'a' }),
        { type: 'media_placeholder', roomId: 'asleep', sentAt: earlier(DAY) },
      ],
    ])
    const { unmasked, messages } = plan([withoutCustomer({ nature: 'import', type: 'image' })], known)
    expect([unmasked.map((a) => [a.message.wamid, a.storedAt]), messages]).toEqual([
      [['a', earlier(DAY)]],
      [],
    ])
  })
})

it('a reaction finds the chatroom of a message of its own batch', () => {
  const first = arrival({ wamid: 'a' })
  const { messages, events } = plan([first, arrival({ wamid: 'b', type: 'reaction', target: 'a' })])
  expect(messages.map((m) => [m.roomId, m.route])).toEqual([
    ['asleep', 'reactivated'],
    ['asleep', 'active'],
  ])
  expect(events).toHaveLength(1)
})

it('the last auto-reply before a pause leaves an event', () => {
  const expired = new Map([[pairKey(pair), [roomOf('gone', { expiredAt: earlier(DAY) })]]])
  const known = { rooms: expired, messages: new Map<string, KnownMessage>() }
  const { events, replies } = planBatch(
    [arrival({ wamid: 'a' }), arrival({ wamid: 'b' })],
    known,
    NOW,
    () => 'id',
  )
  expect(events).toMatchObject([
    {
      kind: 'chatroom.auto_reply_paused',
      chatroomId: 'gone',
      reason: '1 auto-replies within 10 minutes; none for an hour',
    },
  ])
  expect(replies.map((reply) => reply.inReplyTo)).toEqual(['a'])
})

it('a batch locks the customers that it has not locked yet, and looks up its pairs and the messages that reactions name', () => {
  const batch = [
    arrival({ wamid: 'a' }),
    arrival({ wamid: 'b', target: 'x' }),
    withoutCustomer({ wamid: 'd' }),
  ]
  const toLock = (keys: { orgId: string; id: string }[]) => {
    const locked = keys.map((key) => ({ ...key, waId: null }))
    const others = [{ orgId: pair.orgId, id: 'd' }]
    return customersToLock({ arrivals: batch, preferences: [], calls: [], locked }, others).map(
      ({ id }) => id,
    )
  }
  expect(toLock([])).toEqual(['c', 'c', 'd'])
  expect(toLock([{ orgId: 'another org', id: 'c' }])).toEqual(['c', 'c', 'd'])
  expect(toLock([{ orgId: pair.orgId, id: 'c' }])).toEqual(['d'])
  expect(pairsOf(batch)).toEqual([pair])
  expect(ledgerEntriesOf(batch).map(({ wamid }) => wamid)).toEqual(['a', 'b', 'x', 'd'])
})

it('an idempotency key is kept for a day', () => {
  expect(IDEMPOTENCY_KEPT).toBe('24 hours')
})
