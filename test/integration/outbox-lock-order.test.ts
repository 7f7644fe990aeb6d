import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { RetryError } from '../../src/db/pg-errors.ts'
import { run } from '../../src/db/statement.ts'
import { markEnded, markSent, releaseSend, requeueSend } from '../../src/outbound/end-send.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import type { Send } from '../../src/outbound/read-send.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { besideLocks } from '../support/beside-locks.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, store } from '../support/inbox.ts'
import { createRoom, createSendingOrg, createSendingOrgs, provisionOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db, pool, url } = await createTestDatabase()
const lock = 'select from outbox_pairs where customer_id = $1 for update'

it('a batch with the status of one customer and the auto-reply to another locks their pairs in one order', async () => {
  const org = await createSendingOrg(db)
  const [phone] = org.phones
  const senders = ['15552000001', '15552000002']
  const rooms = await Promise.all(
    senders.map((from) => createRoom(db, org, { customer: `+${from}`, expiredAt: ago(1) })),
  )
  const people = rooms.map(({ customerId }, i) => ({ customerId, from: senders[i]! }))
  const [first, last] = people.sort((x, y) => (x.customerId < y.customerId ? -1 : 1))
  const write = ({ from }: { from: string }) => post(phone!, message({ from }))
  const { replies } = await deliver(db, write(last!))
  await deliver(db, write(first!))
  const status = {
    id: `wamid.${randomUUID()}`,
    status: 'sent',
    timestamp: '1790416832',
    biz_opaque_callback_data: replies[0]!.id,
  }
  const ofLast = bytes(delivery([change(phone!, { statuses: [status] })]))
  const work = () => deliver(db, ofLast, write(first!))
  const routed = await besideLocks({ pool, url, lock }, [first!.customerId, last!.customerId], work)
  expect(routed.replies).toHaveLength(1)
})

it('a batch with an auto-reply and an early status locks the pair first, as a sender does', async () => {
  const org = await createSendingOrg(db)
  const [phone] = org.phones
  const { customerId } = await createRoom(db, org, { customer: '+15552000003', expiredAt: ago(1) })
  const write = () => post(phone!, message({ from: '15552000003' }))
  const wamid = `wamid.${randomUUID()}`
  const early = (status: string) => ({ id: wamid, status, timestamp: '1790416832' })
  await deliver(db, write(), bytes(delivery([change(phone!, { statuses: [early('sent')] })])))
  const batch = [write(), bytes(delivery([change(phone!, { statuses: [early('delivered')] })]))]
  const lastLock = 'select from early_statuses where wamid = $1 for update'
  const locks = { pool, url, lock, lastLock }
  const routed = await besideLocks(locks, [customerId, wamid], () => deliver(db, ...batch))
  expect(routed.replies).toHaveLength(1)
})

it('a batch whose status finds its customer behind the locks is tried again, and locks all in one order', async () => {
  const org = await createSendingOrg(db)
  const room = await createRoom(db, org, { lastInboundAt: new Date() })
  const { id: roomId, customerId, wabaPhoneId: phoneId } = room
  await run(db, queueMessages([{ orgId: org.id, roomId, customerId, phoneId, ...ABOUT }]))
  const failed = { id: 'wamid.LATE', status: 'failed', timestamp: '1790416832', errors: [{ code: 131050 }] }
  const ids = await store(db, bytes(delivery([change(phoneId, { statuses: [failed] })])))
  const route = () => routeDeliveries(db, ids, () => {})
  const sender = new pg.Client(url)
  await sender.connect()
  onTestFinished(() => sender.end())
  await sender.query('begin')
  await sender.query('lock table messages in share row exclusive mode')
  const refused = expect(route()).rejects.toThrow(RetryError)
  await eventually(async () => (await waitingQueries(pool)).length > 0)
  await sender.query(`update messages set wamid = 'wamid.LATE' where customer_id = $1`, [customerId])
  await sender.query('commit')
  await refused
  await route()
  const { rows } = await pool.query('select opted_out_at from customers where id = $1', [customerId])
  expect(rows[0].opted_out_at).not.toBeNull()
})

const ABOUT = {
  kind: 'message' as const,
  origin: 'AGENT' as const,
  inReplyTo: null,
  reason: 'test',
  payload: { type: 'text', text: { body: 'hello' } },
}

const rowAndMessage = `select from outbox o join messages m on m.org_id = o.org_id and m.outbox_id = o.id
  where o.customer_id = $1 for update`
const statusOf = ({ id }: Send) => ({
  ...{ id: `wamid.${id}`, status: 'sent', timestamp: '1790416832' },
  biz_opaque_callback_data: id,
})

/** The number of the send goes on under the id of the org's second number, which it joins. */
async function joinOtherNumber({ org, remotePhoneId: id }: Send): Promise<void> {
  const { rows } = await pool.query('select id from waba_phones where org_id = $1 and id <> $2', [org, id])
  const phones = [{ id, replaces: rows[0].id, display_phone_number: '+1' }]
  await provisionOrg(db, { id: org, wabas: [{ id: `waba of ${id}`, name: 'New', phones }] })
}

it.each<[string, (send: Send) => Promise<unknown>]>([
  ["Meta's answer", (send) => run(db, markSent(send, `wamid.${send.id}`))],
  ['a refusal', (send) => run(db, markEnded(send, 'failed', 'no'))],
  ['a refusal for now', (send) => run(db, requeueSend(send, send.attempts, 'busy', 1_000))],
  ['a process that cannot send', (send) => run(db, releaseSend(send, send.attempts, 'no token'))],
  [
    'a status that names the row',
    (send) => deliver(db, bytes(delivery([change(send.remotePhoneId, { statuses: [statusOf(send)] })]))),
  ],
  ['a number that another one replaces', joinOtherNumber],
])('%s locks the pair before the row and before the message', async (_, end) => {
  const [org] = await createSendingOrgs(db, 1, {}, { phones: 2 })
  if (!org) throw new Error('no org was made')
  const room = await createRoom(db, org, { lastInboundAt: new Date() })
  const { id: roomId, customerId, wabaPhoneId: phoneId } = room
  await run(db, queueMessages([{ orgId: org.id, roomId, customerId, phoneId, ...ABOUT }]))
  const [send] = await claimOf(db, org.id)
  const locks = { pool, url, lock, lastLock: rowAndMessage }
  await besideLocks(locks, [customerId, customerId], () => end(send!))
  const { rows } = await pool.query('select state, waba_phone_id from outbox where org_id = $1', [org.id])
  expect(rows[0]).not.toEqual({ state: 'sending', waba_phone_id: phoneId })
})
