import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, OWN, startAcmes } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { accepts } from '../support/graph-server.ts'
import { text } from '../support/people.ts'

const ANA = '15550002222'
const BO = '15550008888'
const TEXT = { origin: 'AGENT', text: { body: 'hello' } }
const TEMPLATE = { origin: 'AGENT', template: { name: 'welcome', language: { code: 'en_US' } } }

describe.each(engines())('the window of 24 h, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
    acmes.graph.set(accepts)
  })

  const send = async (acme: Acme, { id }: { id: string }, content: object) => {
    const { status, body } = await acme.call('POST', `/chatroom/${id}/messages`, {}, content)
    return status === 202 ? 202 : body.error_message
  }
  const call = (acme: Acme, more: object, { ago = 0, number = 0 } = {}) =>
    acme.deliver(
      'calls',
      {
        calls: [
          {
            ...{ id: 'wacid.1', from: ANA, to: OWN[number], event: 'connect', direction: 'USER_INITIATED' },
            timestamp: String(Math.floor(Date.now() / 1000) - ago),
            ...more,
          },
        ],
      },
      number,
    )
  const query = async (acme: Acme, sql: string) => (await acmes.app.db.$client.query(sql, [acme.org.id])).rows
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)

  it('ends free text that waited, and says why, and ends no template, however long it waited', async () => {
    const acme = await acmes.create()
    const room = await acme.room(ANA, 'active', { lastInboundAt: hoursAgo(1) })
    const other = await acme.room(BO, 'active', { lastInboundAt: hoursAgo(1) })
    await query(acme, 'update waba_phones set stopped_at = now() where org_id = $1')
    for (const one of [room, other]) {
      expect(await send(acme, one, TEXT)).toBe(202)
      expect(await send(acme, one, TEMPLATE)).toBe(202)
    }
    await query(
      acme,
      `update outbox set error = 'Graph error 131000 (HTTP 500)' where org_id = $1 and payload ->> 'type' = 'text'`,
    )
    await query(
      acme,
      `update chatrooms set last_inbound_at = now() - interval '30 hours' where org_id = $1 and id = '${room.id}'`,
    )
    await query(acme, `update outbox set created_at = now() - interval '29 hours' where org_id = $1`)
    await acme.provisionAgain()
    const ends = () => query(acme, 'select state, error from outbox where org_id = $1 order by position')
    await expect
      .poll(ends)
      .toEqual([
        { state: 'failed', error: 'Graph error 131000 (HTTP 500); OUTSIDE_WINDOW' },
        ...Array.from({ length: 3 }, () => ({ state: 'sent', error: null })),
      ])
    const { body } = await acme.call('GET', `/chatroom/${room.id}/messages`)
    const failed = body.messages.find(({ type }: { type: string }) => type === 'text')
    expect(failed).toMatchObject({
      status: 'failed',
      errors: [{ title: 'Graph error 131000 (HTTP 500); OUTSIDE_WINDOW' }],
    })
  })

  it('is opened by a call of the customer, which is no message: it reactivates, answers and times nothing', async () => {
    const acme = await acmes.create()
    const lastInboundAt = hoursAgo(48)
    const active = await acme.room(ANA, 'active', { lastInboundAt })
    const asleep = await acme.room(BO, 'deactivated', { lastInboundAt })
    const gone = await acme.room('15550004444', 'expired', { lastInboundAt })
    const before = await query(acme, 'select * from chatrooms where org_id = $1 order by id')
    expect(await send(acme, active, TEXT)).toBe('OUTSIDE_WINDOW')
    await call(acme, {})
    await call(acme, { from: BO })
    await call(acme, { from: '15550004444' })
    expect(await query(acme, 'select * from chatrooms where org_id = $1 order by id')).toEqual(before)
    expect(await query(acme, 'select * from messages where org_id = $1')).toEqual([])
    expect(await acme.replies()).toBe(0)
    expect(await send(acme, active, TEXT)).toBe(202)
    expect(await send(acme, asleep, TEXT)).toBe('CHATROOM_IS_DEACTIVATED')
    expect(await send(acme, asleep, { ...TEXT, origin: 'CAMPAIGN' })).toBe(202)
    expect(await send(acme, gone, TEXT)).toBe('CHATROOM_IS_EXPIRED_FOR_SENDING')
    await expect
      .poll(() => query(acme, 'select state from outbox where org_id = $1'))
      .toEqual([{ state: 'sent' }, { state: 'sent' }])
    const [event] = await query(
      acme,
      `select count(*)::int from account_events where org_id = $1 and field = 'calls'`,
    )
    expect(event.count).toBe(3)
  })

  it('is not opened by a call of the company, the end of a call, an old one, or one to another number', async () => {
    const acme = await acmes.create()
    const room = await acme.room(ANA, 'active', { lastInboundAt: hoursAgo(48) })
    await call(acme, { from: OWN[0], to: ANA, direction: 'BUSINESS_INITIATED' })
    await call(acme, { direction: 'BUSINESS_INITIATED' })
    await call(acme, { event: 'terminate' })
    await call(acme, { from: BO })
    await call(acme, {}, { ago: 25 * 3_600 })
    await call(acme, {}, { number: 1 })
    expect(await send(acme, room, TEXT)).toBe('OUTSIDE_WINDOW')
    await call(acme, {}, { ago: 23 * 3_600 })
    await call(acme, {}, { ago: 25 * 3_600 })
    expect(await send(acme, room, TEXT)).toBe(202)
  })

  it('that a call opened before the CRM knew the caller is open in the first chatroom, also after a merge', async () => {
    const acme = await acmes.create()
    await call(acme, {})
    const room = await acme.room(ANA)
    expect(await send(acme, room, TEXT)).toBe(202)
    await call(acme, { from: undefined, from_user_id: 'US.7' })
    const other = await acme.room(BO)
    expect(await send(acme, other, TEXT)).toBe('OUTSIDE_WINDOW')
    await acme.deliver('messages', {
      messages: [text({ from: BO, from_user_id: 'US.7' }, 25 * 3_600)],
    })
    expect(await send(acme, other, TEXT)).toBe(202)
  })
})
