import { expect, it } from 'vitest'
import { nextTryOf, reasonOf, SEND_STATUSES, type SendState } from '../../src/messages/send-state.ts'

const state = (change: Partial<SendState>): SendState => ({
  ...{ id: 'id', retry_of: null, status: 'queued', errors: null, send_error: null, due_at: null },
  ...{ is_stopped: false, stopped_reason: null, is_next: true },
  ...change,
})

it.each<[string | null, Partial<SendState>]>([
  ['Graph error 131053', { status: 'failed', send_error: 'Graph error 131053', errors: [{ title: 'x' }] }],
  [
    '131026 Message undeliverable',
    { status: 'failed', errors: [{ code: 131026, title: 'Message undeliverable' }] },
  ],
  ['131026 not a user', { status: 'failed', errors: [{ code: 131026, message: 'not a user' }] }],
  [null, { status: 'failed', errors: [{ title: { odd: 1 } }] }],
  [null, { status: 'failed', errors: [] }],
  [null, { status: 'failed', errors: 'odd' }],
  ['no reply: ECONNRESET', { status: 'unknown', send_error: 'no reply: ECONNRESET' }],
  [
    'the number is stopped: Graph error 190',
    { status: 'waiting', is_stopped: true, stopped_reason: 'Graph error 190' },
  ],
  ['the number is stopped: no reason is known', { status: 'waiting', is_stopped: true, send_error: 'older' }],
  ['an earlier message to this customer waits', { status: 'waiting', is_next: false }],
  ['Graph error 131056', { status: 'waiting', send_error: 'Graph error 131056' }],
  ['the rate of this number and customer is used up', { status: 'waiting' }],
  ['the access token cannot be used', { status: 'queued', send_error: 'the access token cannot be used' }],
  ['HTTP 429', { status: 'sending', send_error: 'HTTP 429' }],
  [null, { status: 'queued' }],
  [null, { status: 'delivered', send_error: 'HTTP 429' }],
  [null, { status: null }],
])('the reason of a message is %j: %j', (reason, change) => {
  expect(reasonOf(state(change))).toBe(reason)
})

it('the next try of a message is known while it waits, unless its number is stopped', () => {
  const due_at = new Date()
  expect(nextTryOf(state({ status: 'waiting', due_at }))).toBe(due_at)
  expect(nextTryOf(state({ status: 'waiting', due_at, is_stopped: true }))).toBeNull()
  for (const status of SEND_STATUSES) {
    if (status !== 'waiting') expect(nextTryOf(state({ status, due_at }))).toBeNull()
  }
})
