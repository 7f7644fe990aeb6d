import { describe, expect, it } from 'vitest'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, readRoom } from '../support/inbox.ts'
import { later, NO_CHANGES, wholeSecond } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

describe('the inactivity sweep', () => {
  it('deactivates a chatroom `inactivity_days` after the last message of its customer, as of that time', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = ago(31)
    const room = await createRoom(db, org, { activatedAt: ago(90), lastInboundAt: last })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...NO_CHANGES, chatroomsDeactivated: 1 })
    const since = later(last, 30)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: since,
      deactivation_reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
    })
    expect(await eventsOfOrg(db, org.id, 'chatroom.%', 'contact.%')).toEqual([
      {
        kind: 'chatroom.deactivated',
        actor: 'sweep',
        reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
        customer_id: room.customerId,
        contact_id: room.contactId,
        chatroom_id: room.id,
        before: { state: 'active' },
        after: { state: 'deactivated', at: since.toISOString() },
      },
    ])
  })

  it('counts from the activation if the customer never wrote', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const old = await createRoom(db, org, { activatedAt: ago(31), customer: '+15550000001' })
    const young = await createRoom(db, org, { activatedAt: ago(29), customer: '+15550000002' })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, old.id)).toMatchObject({ state: 'deactivated' })
    expect(await readRoom(db, org.id, young.id)).toMatchObject({ state: 'active' })
  })

  it('counts from the activation if the chatroom was activated after the last message', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(29), lastInboundAt: ago(60) })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('looks at a chatroom with an active customer once per `inactivity_days`: the day it searches by moves only when the sweep passes', async () => {
    const own = await createTestDatabase()
    const org = await createOrg(own.db, { inactivity_days: 30 })
    const room = await createRoom(own.db, org, { activatedAt: ago(29) })
    const searchedBy = async () =>
      (await own.pool.query('select activity_day::text as day from chatrooms where id = $1', [room.id]))
        .rows[0]
    const day = (at: Date) => ({ day: at.toISOString().slice(0, 10) })
    const wrote = ago(1)
    await deliver(own.db, post(org.phones[0]!, message({ at: wrote })))
    expect(await searchedBy()).toEqual(day(ago(29)))
    await deactivateInactive(own.db, ago(-2))
    expect(await readRoom(own.db, org.id, room.id)).toMatchObject({ state: 'active' })
    expect(await searchedBy()).toEqual(day(wrote))
  })

  it('finds a chatroom whose times were moved back by an update', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { lastInboundAt: ago(1), activatedAt: ago(2) })
    await db.$client.query('update chatrooms set last_inbound_at = $2, activated_at = $2 where id = $1', [
      room.id,
      ago(31),
    ])
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'deactivated' })
  })

  it('leaves a chatroom active that its customer reactivated just before the sweep', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: ago(40) })
    await deliver(db, post(org.phones[0]!, message({})))
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('is not postponed by a late redelivery with an old timestamp', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = wholeSecond(ago(29))
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: last })
    await deliver(db, post(org.phones[0]!, message({ at: ago(45) })))
    await sweep(db, later(last, 30))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: later(last, 30),
    })
  })

  it('deactivates a chatroom again if the message that reactivated it is older than `inactivity_days`', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: ago(50) })
    const at = wholeSecond(ago(35))
    await deliver(db, post(org.phones[0]!, message({ at })))
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: later(at, 30),
    })
  })

  it('does not change a chatroom that is deactivated or expired already', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const [deactivatedAt, expiredAt] = [ago(1), ago(2)]
    const deactivated = await createRoom(db, org, { activatedAt: ago(60), deactivatedAt })
    const expired = await createRoom(db, org, { activatedAt: ago(60), expiredAt })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, deactivated.id)).toMatchObject({
      deactivated_at: deactivatedAt,
      deactivation_reason: null,
    })
    expect(await readRoom(db, org.id, expired.id)).toMatchObject({
      deactivated_at: null,
      expired_at: expiredAt,
    })
  })
})
