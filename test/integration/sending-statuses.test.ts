import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import { run } from '../../src/db/statement.ts'
import { markEnded, markSent, requeueSend } from '../../src/outbound/end-send.ts'
import { endStrandedSends } from '../../src/outbound/end-stranded-sends.ts'
import { followRefusalsNow, refusalsOf } from '../../src/outbound/refusals.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, readMessage } from '../support/inbox.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

/** An org with one auto-reply under way. */
async function oneUnderWay() {
  const org = await createSendingOrg(db)
  await createRoom(db, org, { expiredAt: ago(1) })
  const { replies } = await deliver(db, post(org.phones[0]!, message({})))
  await claimOf(db, org.id)
  return { org, row: replies[0]! as OutboxRow, wamid: `wamid.${randomUUID()}` }
}

const named = (org: TestOrg, row: OutboxRow) => ({
  ...row,
  createdAt: new Date(),
  remotePhoneId: org.phones[0]!,
})

type Status = {
  id: string
  status: string
  timestamp?: string
  biz_opaque_callback_data?: string
  errors?: object[]
}

const now = () => ({ timestamp: String(Math.floor(Date.now() / 1000)) })

function receive(org: TestOrg, ...statuses: Status[]) {
  const all = statuses.map((status) => ({ timestamp: '1790416832', ...status }))
  return deliver(db, bytes(delivery([change(org.phones[0]!, { statuses: all })])))
}

async function outboxOf({ org, id }: OutboxRow) {
  return (await db.$client.query('select * from outbox where org_id = $1 and id = $2', [org, id])).rows[0]
}

const kept = async (org: TestOrg) =>
  (await db.$client.query('select wamid, status from early_statuses where org_id = $1', [org.id])).rows

describe('a status that names the row of the outbox', () => {
  it.each(['sent', 'delivered', 'read'])('ends a send that is queued for another try: %s', async (status) => {
    const { org, row, wamid } = await oneUnderWay()
    await run(db, requeueSend(row, 1, 'HTTP 429', 0))
    await receive(org, { id: wamid, status, biz_opaque_callback_data: row.id })
    expect(await outboxOf(row)).toMatchObject({ state: 'sent', wamid })
    expect(await claimOf(db, org.id)).toEqual([])
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status, errors: null })
  })

  it('is proof that a message which seemed to fail was accepted', async () => {
    const { org, row, wamid } = await oneUnderWay()
    await run(db, markEnded(named(org, row), 'failed', 'Graph error 131000'))
    await receive(org, { id: wamid, status: 'delivered', biz_opaque_callback_data: row.id })
    expect(await outboxOf(row)).toMatchObject({ state: 'sent', error: null })
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: 'delivered', errors: null })
  })

  it('wins over a failure in the same delivery', async () => {
    const { org, row, wamid } = await oneUnderWay()
    const named = { id: wamid, biz_opaque_callback_data: row.id }
    await receive(
      org,
      { ...named, status: 'failed', errors: [{ code: 131026 }] },
      { ...named, status: 'delivered' },
    )
    expect(await outboxOf(row)).toMatchObject({ state: 'sent' })
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: 'delivered', errors: null })
  })

  it('of another org changes nothing', async () => {
    const { row, wamid } = await oneUnderWay()
    const { org: other } = await oneUnderWay()
    await receive(other, { id: wamid, status: 'sent', biz_opaque_callback_data: row.id })
    expect(await outboxOf(row)).toMatchObject({ state: 'sending' })
  })
})

describe('a status that comes before the answer to the send, without naming the row', () => {
  it('is kept, the strongest one, and applied when the answer comes', async () => {
    const { org, row, wamid } = await oneUnderWay()
    await receive(org, { id: wamid, status: 'delivered' })
    await receive(org, { id: wamid, status: 'sent' }, { id: wamid, status: 'in_orbit' })
    expect(await kept(org)).toEqual([{ wamid, status: 'delivered' }])
    await run(db, markSent(named(org, row), wamid))
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: 'delivered', direction: 'out' })
    expect(await kept(org)).toEqual([])
  })

  it('is applied by the answer also if a status that names the row came in between', async () => {
    const { org, row, wamid } = await oneUnderWay()
    await receive(org, { id: wamid, status: 'read' })
    await receive(org, { id: wamid, status: 'delivered', biz_opaque_callback_data: row.id })
    await run(db, markSent(named(org, row), wamid))
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: 'read' })
    expect(await kept(org)).toEqual([])
  })

  it('is applied by the next sweep if it was stored while the answer was recorded', async () => {
    const { org, row, wamid } = await oneUnderWay()
    await run(db, markSent(named(org, row), wamid))
    await db.$client.query(
      `insert into early_statuses (org_id, wamid, status, errors) values ($1, $2, 'failed', '[{"code": 131026}]')`,
      [org.id, wamid],
    )
    expect((await endStrandedSends(db)).early).toBe(1)
    expect(await readMessage(db, org.id, wamid)).toMatchObject({
      status: 'failed',
      errors: [{ code: 131026 }],
    })
  })

  it.each(['the answer', 'the sweep'])('has the effects of its error when %s applies it', async (by) => {
    const { org, row, wamid } = await oneUnderWay()
    const errors = [{ code: 131049 }, { code: 131042 }]
    if (by === 'the answer') await receive(org, { id: wamid, status: 'failed', errors, ...now() })
    const failed = await run(db, markSent(named(org, row), wamid))
    await followRefusalsNow(db, refusalsOf(failed, 'sending'))
    if (by === 'the sweep') {
      await db.$client.query(
        `insert into early_statuses (org_id, wamid, status, status_at, errors) values ($1, $2, 'failed', now(), $3)`,
        [org.id, wamid, JSON.stringify(errors)],
      )
      await endStrandedSends(db)
    }
    const { rows } = await db.$client.query(
      `select c.marketing_paused_until > now() as paused, p.stopped_reason as reason
       from customers c join waba_phones p using (org_id) where org_id = $1`,
      [org.id],
    )
    expect(rows).toEqual([{ paused: true, reason: 'status with Graph error 131049, 131042' }])
  })

  it('of a message of another org is not applied', async () => {
    const { org, row, wamid } = await oneUnderWay()
    const { org: other } = await oneUnderWay()
    await receive(other, { id: wamid, status: 'read' })
    await run(db, markSent(named(org, row), wamid))
    expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: null })
  })
})

it.each([
  [['failed', 'delivered'], 'delivered'],
  [['delivered', 'failed'], 'delivered'],
  [['failed', 'sent'], 'failed'],
  [['sent', 'failed', 'read', 'failed'], 'read'],
])('the statuses %j leave a message as %s', async (names, end) => {
  const { org, row, wamid } = await oneUnderWay()
  await run(db, markSent(named(org, row), wamid))
  for (const status of names) {
    await receive(org, { id: wamid, status, ...(status === 'failed' && { errors: [{ code: 131026 }] }) })
  }
  const errors = end === 'failed' ? [{ code: 131026 }] : null
  expect(await readMessage(db, org.id, wamid)).toMatchObject({ status: end, errors })
})
