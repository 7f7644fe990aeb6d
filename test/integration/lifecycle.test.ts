import fc from 'fast-check'
import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Db, inTransaction, openDatabase } from '../../src/db/client.ts'
import { chatrooms } from '../../src/db/schema/index.ts'
import { lockCustomers } from '../../src/identity/lock-customers.ts'
import type { Changes } from '../../src/lifecycle/changes.ts'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../../src/lifecycle/expire-old.ts'
import { previewSweep } from '../../src/lifecycle/preview-sweep.ts'
import { purge } from '../../src/lifecycle/purge.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createLogger } from '../../src/logger.ts'
import { openEngine } from '../../src/queue/connection.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { SCHEDULES } from '../../src/queue/schedules.ts'
import { settleOverdue } from '../../src/rules/lifecycle.ts'
import type { Room } from '../../src/rules/room.ts'
import { startMaintenance } from '../../workers/maintenance.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { deliver, inboxStates, readRoom, store } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg, type TestRoom } from '../support/org.ts'
import { planNodes, recordStatements, type Statement } from '../support/statements.ts'
import { message, post } from '../support/webhooks.ts'

const DAY = 86_400_000
const ago = (days: number, from = Date.now()) => new Date(from - days * DAY)
const later = (date: Date, days: number) => new Date(date.getTime() + days * DAY)

let database: TestDatabase
let db: TestDatabase['db']

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
})

/** Another chatroom of the contact of a room, at another number of the org. */
async function addRoom(org: TestOrg, { contactId, customerId }: RoomKey, { phone, ...columns }: TestRoom) {
  const room = { orgId: org.id, id: uuidv7(), contactId, customerId, wabaPhoneId: phone! }
  const { contactCreatedAt: _, customer: __, ...times } = columns
  await db.insert(chatrooms).values({ ...room, displayName: 'another', ...times })
  return room
}

type RoomKey = { contactId: string; customerId: string }

/**
 * Many customers with a contact and an active chatroom each, silent for 61 to 68 days, all three with one id. The
 * chatrooms are named by their place in the order of a sweep.
 */
async function createSilentRooms(on: Db, org: TestOrg, count: number): Promise<void> {
  await on.$client.query(
    `with c as (
       insert into customers (org_id, id) select $1, gen_random_uuid() from generate_series(1, $3) returning id),
     k as (
       insert into contacts (org_id, id, customer_id, crm_id, created_at)
       select $1, id, id, id::text,
         (current_date::timestamp at time zone 'UTC') - interval '24 hours' * (61 + (hashtext(id::text) & 7)) from c
       returning id, created_at)
     insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, activated_at)
     select $1, id, id, id, $2, row_number() over (order by created_at, id), created_at from k`,
    [org.id, org.phones[0], count],
  )
}

async function eventsOf(orgId: string) {
  const { rows } = await db.$client.query(
    `select kind, actor, reason, contact_id, chatroom_id, before, after from events
     where org_id = $1 and kind like any (array['chatroom.%', 'contact.%']) order by id`,
    [orgId],
  )
  return rows
}

async function contactExpiry(id: string): Promise<Date | null> {
  const { rows } = await db.$client.query('select expired_at from contacts where id = $1', [id])
  return rows[0].expired_at
}

async function statesIn(orgId: string): Promise<Record<string, number>> {
  const { rows } = await db.$client.query(
    'select state, count(*)::int as n from chatrooms where org_id = $1 group by state',
    [orgId],
  )
  return Object.fromEntries(rows.map((r) => [r.state, r.n]))
}

const nothing = { contactsExpired: 0, chatroomsExpired: 0, chatroomsDeactivated: 0 }

describe('inactivity', () => {
  it('deactivates a chatroom so many days after the last message of its customer, as of that time', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = ago(31)
    const room = await createRoom(db, org, { activatedAt: ago(90), lastInboundAt: last })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...nothing, chatroomsDeactivated: 1 })
    const since = later(last, 30)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: since,
      deactivation_reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
    })
    expect(await eventsOf(org.id)).toEqual([
      {
        kind: 'chatroom.deactivated',
        actor: 'sweep',
        reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED',
        contact_id: room.contactId,
        chatroom_id: room.id,
        before: { state: 'active' },
        after: { state: 'deactivated', at: since.toISOString() },
      },
    ])
  })

  it('counts from the activation for a customer who never wrote', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const old = await createRoom(db, org, { activatedAt: ago(31), customer: '+15550000001' })
    const young = await createRoom(db, org, { activatedAt: ago(29), customer: '+15550000002' })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, old.id)).toMatchObject({ state: 'deactivated' })
    expect(await readRoom(db, org.id, young.id)).toMatchObject({ state: 'active' })
  })

  it('counts from the activation when that is later than the last message', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(29), lastInboundAt: ago(60) })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('looks at a chatroom whose customer goes on writing once in so many days, and at its message not at all', async () => {
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

  it('never searches by a day after the last sign of life, however the chatroom is written', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { lastInboundAt: ago(1), activatedAt: ago(2) })
    await db.$client.query('update chatrooms set last_inbound_at = $2, activated_at = $2 where id = $1', [
      room.id,
      ago(31),
    ])
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'deactivated' })
  })

  it('spares a chatroom that its customer reactivated just before the sweep', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: ago(40) })
    await deliver(db, post(org.phones[0]!, message({})))
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('is not put off by a late redelivery with an old timestamp', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const last = new Date(Math.floor(ago(29).getTime() / 1000) * 1000)
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: last })
    await deliver(db, post(org.phones[0]!, message({ at: ago(45) })))
    await sweep(db, later(last, 30))
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: later(last, 30),
    })
  })

  it('sends a chatroom back to sleep that an old message woke', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(60), lastInboundAt: ago(50) })
    const at = new Date(Math.floor(ago(35).getTime() / 1000) * 1000)
    await deliver(db, post(org.phones[0]!, message({ at })))
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({
      state: 'deactivated',
      deactivated_at: later(at, 30),
    })
  })

  it('leaves alone what is deactivated or expired already', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const [deactivatedAt, expiredAt] = [ago(1), ago(2)]
    const asleep = await createRoom(db, org, { activatedAt: ago(60), deactivatedAt })
    const gone = await createRoom(db, org, { activatedAt: ago(60), expiredAt })
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, asleep.id)).toMatchObject({
      deactivated_at: deactivatedAt,
      deactivation_reason: null,
    })
    expect(await readRoom(db, org.id, gone.id)).toMatchObject({ deactivated_at: null, expired_at: expiredAt })
  })
})

describe('expiry', () => {
  it('expires a contact whole: all its chatrooms, whatever their state, as of its due time', async () => {
    const org = await createOrg(db, { expiry_days: 60 }, { phones: 3 })
    const created = ago(61)
    const room = await createRoom(db, org, { contactCreatedAt: created })
    const asleep = await addRoom(org, room, { phone: org.phones[1]!, deactivatedAt: ago(5) })
    const young = await createRoom(db, org, { phone: org.phones[2]! })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...nothing, contactsExpired: 1, chatroomsExpired: 2 })
    const at = later(created, 60)
    expect(await contactExpiry(room.contactId)).toEqual(at)
    for (const { id } of [room, asleep])
      expect(await readRoom(db, org.id, id)).toMatchObject({ state: 'expired', expired_at: at })
    expect(await readRoom(db, org.id, young.id)).toMatchObject({ state: 'active' })
    const audit = { actor: 'sweep', reason: 'contact older than 60 days', contact_id: room.contactId }
    const after = { state: 'expired', at: at.toISOString() }
    const events = await eventsOf(org.id)
    expect(events).toHaveLength(3)
    expect(events).toEqual(
      expect.arrayContaining([
        { ...audit, kind: 'contact.expired', chatroom_id: null, before: { state: 'living' }, after },
        { ...audit, kind: 'chatroom.expired', chatroom_id: room.id, before: { state: 'active' }, after },
        {
          ...audit,
          kind: 'chatroom.expired',
          chatroom_id: asleep.id,
          before: { state: 'deactivated' },
          after,
        },
      ]),
    )
  })

  it('leaves a chatroom alone that expired before its contact', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    const earlier = ago(7)
    await db.$client.query('update chatrooms set expired_at = $2 where id = $1', [room.id, earlier])
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...nothing, contactsExpired: 1 })
    expect((await readRoom(db, org.id, room.id)).expired_at).toEqual(earlier)
  })

  it('expires a contact that has no chatroom', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const { id, contactId } = await createRoom(db, org, { contactCreatedAt: ago(61) })
    await db.$client.query('delete from chatrooms where org_id = $1 and id = $2', [org.id, id])
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...nothing, contactsExpired: 1 })
    expect(await contactExpiry(contactId)).not.toBe(null)
  })

  it('beats inactivity, whichever sweep runs first', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61), activatedAt: ago(61) })
    await deactivateInactive(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
    await expireOld(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired', deactivated_at: null })
    await deactivateInactive(db, undefined)
    expect((await eventsOf(org.id)).map((e) => e.kind).sort()).toEqual([
      'chatroom.expired',
      'contact.expired',
    ])
  })

  it('is final: no statement brings a chatroom or a contact back, or moves its expiry', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    await sweep(db, undefined)
    const rows: [string, string][] = [
      ['chatrooms', room.id],
      ['contacts', room.contactId],
    ]
    for (const [table, id] of rows) {
      for (const value of ['null', 'now()'])
        await expect(
          db.$client.query(`update ${table} set expired_at = ${value} where id = $1`, [id]),
        ).rejects.toThrow('expired is final')
    }
    await db.$client.query('update chatrooms set activated_at = now(), deactivated_at = null where id = $1', [
      room.id,
    ])
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
  })
})

describe('settings', () => {
  it('that are off mean never', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { contactCreatedAt: ago(3_000), activatedAt: ago(3_000) })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('act at the next sweep when they were changed', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(20), activatedAt: ago(20) })
    const change = (columns: string) => db.$client.query(`update orgs set ${columns} where id = $1`, [org.id])
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
    await change('inactivity_days = 10')
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'deactivated' })
    await change('inactivity_days = null, expiry_days = 10')
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
  })

  it('of one org do not touch another', async () => {
    const strict = await createOrg(db, { inactivity_days: 1 })
    const lax = await createOrg(db, { inactivity_days: 100 })
    for (const org of [strict, lax]) await createRoom(db, org, { activatedAt: ago(50) })
    await sweep(db, undefined)
    expect([await statesIn(strict.id), await statesIn(lax.id)]).toEqual([{ deactivated: 1 }, { active: 1 }])
  })
})

it('is due to the millisecond', async () => {
  const org = await createOrg(db, { inactivity_days: 1, expiry_days: 2 })
  const start = new Date('2026-03-28T00:30:00.123Z')
  const room = await createRoom(db, org, { contactCreatedAt: start, activatedAt: start })
  const stateAt = async (days: number, ms: number) => {
    await sweep(db, new Date(later(start, days).getTime() + ms))
    return (await readRoom(db, org.id, room.id)).state
  }
  expect([await stateAt(1, -1), await stateAt(1, 0)]).toEqual(['active', 'deactivated'])
  expect([await stateAt(2, -1), await stateAt(2, 0)]).toEqual(['deactivated', 'expired'])
})

describe('sweeps side by side', () => {
  const both = [
    {
      name: 'inactivity',
      run: deactivateInactive,
      kind: 'chatroom.deactivated',
      settings: { inactivity_days: 30 },
    },
    { name: 'expiry', run: expireOld, kind: 'chatroom.expired', settings: { expiry_days: 60 } },
  ]
  const chatroomsOf = (changes: Changes) =>
    [...changes.values()].reduce((sum, c) => sum + c.chatroomsExpired + c.chatroomsDeactivated, 0)

  it.each(both)('change every chatroom once, with one event ($name)', async ({ run, kind, settings }) => {
    const own = await createTestDatabase()
    const orgs = [await createOrg(own.db, settings), await createOrg(own.db, settings)]
    for (const org of orgs) await createSilentRooms(own.db, org, 1_300)
    const runs = await Promise.all([1, 2, 3].map(() => run(own.db, undefined)))
    expect(runs.map(chatroomsOf).reduce((sum, n) => sum + n)).toBe(2_600)
    const { rows } = await own.db.$client.query(
      `select count(*)::int as n, count(distinct chatroom_id)::int as rooms,
         (select count(*)::int from chatrooms where state <> 'active') as changed
       from events where kind = $1`,
      [kind],
    )
    expect(rows).toEqual([{ n: 2_600, rooms: 2_600, changed: 2_600 }])
  })

  it('leave a customer whom routing holds to the next run, and wait for nobody', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const held = await createRoom(db, org, { customer: '+15550000001', activatedAt: ago(40) })
    const heldOld = await createRoom(db, org, { customer: '+15550000002', contactCreatedAt: ago(61) })
    const free = await createRoom(db, org, { customer: '+15550000003', activatedAt: ago(40) })
    const states = async () =>
      Promise.all([held, heldOld, free].map(async ({ id }) => (await readRoom(db, org.id, id)).state))
    await inTransaction(db, async (tx) => {
      await lockCustomers(
        tx,
        [held, heldOld].map((r) => ({ orgId: org.id, id: r.customerId })),
      )
      await sweep(db, undefined)
      expect(await states()).toEqual(['active', 'active', 'deactivated'])
    })
    await sweep(db, undefined)
    expect(await states()).toEqual(['deactivated', 'expired', 'deactivated'])
  })

  it.each(both)('get past a full batch of customers who are all held ($name)', async ({ run, settings }) => {
    const own = await createTestDatabase()
    await createSilentRooms(own.db, await createOrg(own.db, settings), 1_500)
    await inTransaction(own.db, async (tx) => {
      await tx.$client.query(
        `select 1 from contacts k join customers c using (org_id, id)
         order by k.created_at, k.id limit 1200 for update of c`,
      )
      expect(chatroomsOf(await run(own.db, undefined))).toBe(300)
    })
    expect(chatroomsOf(await run(own.db, undefined))).toBe(1_200)
  })

  it('look again once the customer is locked: who wrote in between is awake', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(40) })
    beforeStatement(database, 'lock-free-customers', () => deliver(db, post(org.phones[0]!, message({}))))
    expect((await deactivateInactive(db, undefined)).get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active', deactivated_at: null })
  })

  it('look again before they expire: who was expired in between is not expired twice', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    beforeStatement(database, 'lock-free-customers', () => deliver(db, post(org.phones[0]!, message({}))))
    expect((await expireOld(db, undefined)).get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
    expect((await eventsOf(org.id)).map((e) => [e.kind, e.actor]).sort()).toEqual([
      ['chatroom.expired', 'routing'],
      ['contact.expired', 'routing'],
    ])
  })
})

describe('a sweep that dies half-way', () => {
  it('keeps the batches it has done, and the next run does the rest, each chatroom once', async () => {
    const own = await createTestDatabase()
    const org = await createOrg(own.db, { inactivity_days: 30 })
    await createSilentRooms(own.db, org, 2_500)
    await own.db.$client.query(
      `alter table chatrooms add constraint dies check (display_name <> '1500' or deactivated_at is null)`,
    )
    const progress: number[] = []
    await expect(deactivateInactive(own.db, undefined, (done) => progress.push(done))).rejects.toThrow('dies')
    expect(progress).toEqual([1_000])
    const count = async (what: string) => (await own.db.$client.query(`select 1 from ${what}`)).rowCount
    expect(await count(`chatrooms where state = 'deactivated'`)).toBe(1_000)
    expect(await count(`events where kind = 'chatroom.deactivated'`)).toBe(1_000)

    await own.db.$client.query('alter table chatrooms drop constraint dies')
    const rest = await deactivateInactive(own.db, undefined, (done) => progress.push(done))
    expect(rest.get(org.id)).toEqual({ ...nothing, chatroomsDeactivated: 1_500 })
    expect(progress).toEqual([1_000, 1_000, 1_500])
    expect(await count(`chatrooms where state = 'deactivated'`)).toBe(2_500)
    expect(await count(`events where kind = 'chatroom.deactivated'`)).toBe(2_500)
  })
})

it('a preview tells what the sweep then does, and changes nothing', async () => {
  const own = await createTestDatabase()
  const both = await createOrg(own.db, { inactivity_days: 30, expiry_days: 60 }, { phones: 2 })
  const one = await createOrg(own.db, { inactivity_days: 5 })
  const idle = await createOrg(own.db, { inactivity_days: 300 })
  const old = { contactCreatedAt: ago(61), activatedAt: ago(61) }
  await createRoom(own.db, both, { ...old, customer: '+15550000001' })
  await createRoom(own.db, both, { ...old, customer: '+15550000002', phone: both.phones[1]! })
  await createRoom(own.db, both, { ...old, customer: '+15550000003', deactivatedAt: ago(3) })
  await createRoom(own.db, both, { activatedAt: ago(40), customer: '+15550000004' })
  const early = await createRoom(own.db, both, { ...old, customer: '+15550000005' })
  await own.db.$client.query('update chatrooms set expired_at = now() where id = $1', [early.id])
  for (const org of [one, idle]) await createRoom(own.db, org, { activatedAt: ago(40) })
  const expected = new Map([
    [both.id, { contactsExpired: 4, chatroomsExpired: 3, chatroomsDeactivated: 1 }],
    [one.id, { ...nothing, chatroomsDeactivated: 1 }],
  ])
  expect(await previewSweep(own.db, undefined)).toEqual(expected)
  expect(await previewSweep(own.db, ago(50))).toEqual(new Map())
  expect(await previewSweep(own.db, undefined)).toEqual(expected)
  expect((await sweep(own.db, undefined)).changes).toEqual(expected)
  expect(await previewSweep(own.db, undefined)).toEqual(new Map())
})

describe('the sweep and the rule that routing goes by', () => {
  const at = new Date('2026-03-29T01:30:00.500Z')
  /** Any time, and often one that is due to the millisecond. */
  const instant = fc.oneof(
    fc.integer({ min: 0, max: 70 * DAY }).map((ms) => new Date(at.getTime() - ms)),
    fc
      .tuple(fc.constantFrom(1, 2, 30), fc.integer({ min: -1, max: 1 }))
      .map(([days, ms]) => new Date(at.getTime() - days * DAY + ms)),
  )
  const days = fc.option(fc.oneof(fc.constantFrom(1, 2, 30), fc.integer({ min: 1, max: 70 })))
  const room = fc.record({
    activatedAt: instant,
    lastInboundAt: fc.option(instant),
    deactivatedAt: fc.option(instant),
  })
  const contact = fc.record({
    createdAt: instant,
    expired: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    rooms: fc.array(room, { minLength: 1, maxLength: 3 }),
  })
  const world = fc.record({
    inactivityDays: days,
    expiryDays: days,
    contacts: fc.array(contact, { minLength: 1, maxLength: 3 }),
  })

  it('come to the same states, the same times and the same reasons', async () => {
    const own = await createTestDatabase()
    await own.db.$client.query(
      `alter database ${new URL(own.url).pathname.slice(1)} set timezone to 'Europe/Berlin'`,
    )
    const inSummerTime = openDatabase(own.url, { max: 2, name: 'test', onLost: () => {} })
    onTestFinished(inSummerTime.close)
    await fc.assert(
      fc.asyncProperty(world, async ({ contacts, inactivityDays, expiryDays }) => {
        const settings = { inactivity_days: inactivityDays, expiry_days: expiryDays }
        const org = await createOrg(inSummerTime.db, settings, { phones: 3 })
        const rooms: Room[] = []
        for (const [i, c] of contacts.entries()) rooms.push(...(await create(inSummerTime.db, org, i, c)))
        const expected = settleOverdue(rooms, { inactivityDays, expiryDays }, at)
        await sweep(inSummerTime.db, at)
        expect(await outcomes(inSummerTime.db, org.id)).toEqual(byId(expected.rooms.map(outcomeOf)))
        expect(await transitions(inSummerTime.db, org.id)).toEqual(
          byId(
            expected.transitions.map((t) => ({
              id: t.roomId,
              kind: `chatroom.${t.to}`,
              reason: t.reason,
              at: t.at,
            })),
          ),
        )
      }),
      { numRuns: 60 },
    )
  })

  type Contact = typeof contact extends fc.Arbitrary<infer T> ? T : never

  async function create(
    on: Db,
    org: TestOrg,
    n: number,
    { createdAt, expired, rooms }: Contact,
  ): Promise<Room[]> {
    const expiredAt = expired ? new Date(createdAt.getTime() + 1) : null
    const customer = `+1555000${1000 + n}`
    const made: Room[] = []
    let first: RoomKey | undefined
    for (const [i, times] of rooms.entries()) {
      const id = uuidv7()
      first ??= await createRoomlessContact(on, org, customer, createdAt, expiredAt)
      await on.insert(chatrooms).values({
        orgId: org.id,
        id,
        ...first,
        wabaPhoneId: org.phones[i]!,
        displayName: 'x',
        ...times,
        expiredAt,
      })
      const state = expired ? 'expired' : times.deactivatedAt ? 'deactivated' : 'active'
      const rest = { createdAt, lastAutoReplyAt: null, pendingUserId: null }
      made.push({
        id,
        contactId: first.contactId,
        contactCreatedAt: createdAt,
        state,
        ...times,
        expiredAt,
        ...rest,
      })
    }
    return made
  }

  async function createRoomlessContact(
    on: Db,
    org: TestOrg,
    customer: string,
    createdAt: Date,
    expiredAt: Date | null,
  ): Promise<RoomKey> {
    const { id, contactId, customerId } = await createRoom(on, org, {
      customer,
      contactCreatedAt: createdAt,
      ...(expiredAt && { expiredAt }),
    })
    await on.$client.query('delete from chatrooms where org_id = $1 and id = $2', [org.id, id])
    return { contactId, customerId }
  }

  const byId = <T extends { id: string }>(list: T[]) => list.sort((a, b) => (a.id < b.id ? -1 : 1))

  function outcomeOf({ id, state, deactivatedAt, expiredAt }: Room) {
    return { id, state, deactivatedAt, expiredAt, contactExpiredAt: expiredAt }
  }

  async function outcomes(on: Db, orgId: string) {
    const { rows } = await on.$client.query(
      `select r.id, r.state, r.deactivated_at as "deactivatedAt", r.expired_at as "expiredAt",
         c.expired_at as "contactExpiredAt"
       from chatrooms r join contacts c on c.org_id = r.org_id and c.id = r.contact_id
       where r.org_id = $1`,
      [orgId],
    )
    return byId(rows)
  }

  async function transitions(on: Db, orgId: string) {
    const { rows } = await on.$client.query(
      `select chatroom_id as id, kind, reason, (after ->> 'at')::timestamptz as at from events
       where org_id = $1 and kind like 'chatroom.%'`,
      [orgId],
    )
    return byId(rows)
  }
})

describe('the purge', () => {
  it('deletes what is over, buries what was never provisioned, and keeps the rest', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const key = (name: string, hours: number) =>
      db.$client.query(
        `insert into idempotency_keys (org_id, key, request_digest, created_at)
         values ($1, $2, '', now() - $3 * interval '1 hour')`,
        [org.id, name, hours],
      )
    const limit = (name: string, ms: number | null) =>
      db.$client.query('insert into rate_limits (key, points, expire) values ($1, 1, $2)', [
        `${org.id}:${name}`,
        ms === null ? null : Date.now() + ms,
      ])
    const send = async (state: string, days: number) => {
      const id = uuidv7({ msecs: ago(days).getTime() })
      await db.$client.query(
        `insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, payload, state, created_at)
         values ($1, $2, 'message', $3, $4, $5, '{}', $6, $7)`,
        [org.id, id, room.id, room.customerId, room.wabaPhoneId, state, ago(days)],
      )
    }
    const park = async (days: number) => {
      const [id = 0] = await store(db, Buffer.from('x'))
      await db.$client.query(
        `update inbox set state = 'parked', parked_for = 'phone:nobody', received_at = $2 where id = $1`,
        [id, ago(days)],
      )
      return id
    }
    await key('old', 24.01)
    await key('young', 23.99)
    await limit('over', -1_000)
    await limit('running', 60_000)
    await limit('for ever', null)
    for (const state of ['sent', 'failed', 'queued', 'sending', 'unknown']) await send(state, 30.01)
    for (const state of ['sent', 'failed']) await send(state, 29.99)
    const [forgotten, waiting] = [await park(30.01), await park(29.99)]
    const dead = await store(db, Buffer.from('y'))
    await db.$client.query(`update inbox set state = 'dead', error = 'z', received_at = $2 where id = $1`, [
      dead[0],
      ago(1_000),
    ])

    const progress: number[] = []
    const purged = await purge(db, undefined, (done) => progress.push(done))
    expect(purged).toEqual({ idempotencyKeys: 1, rateLimits: 1, outbox: 2, buried: 1 })
    expect(progress.at(-1)).toBe(5)
    const column = async (text: string) =>
      (await db.$client.query({ text, values: [org.id], rowMode: 'array' })).rows.map(([value]) => value)
    expect(await column('select key from idempotency_keys where org_id = $1')).toEqual(['young'])
    expect(await column(`select key from rate_limits where key like $1 || ':%' order by key`)).toEqual([
      `${org.id}:for ever`,
      `${org.id}:running`,
    ])
    expect(await column('select state from outbox where org_id = $1 order by id, state')).toEqual(
      expect.arrayContaining(['queued', 'sending', 'unknown', 'sent', 'failed']),
    )
    expect(await column('select state from outbox where org_id = $1')).toHaveLength(5)
    expect(await inboxStates(db, [forgotten, waiting, dead[0]!])).toEqual(['dead', 'parked', 'dead'])
    const { rows } = await db.$client.query('select error, body from inbox where id = $1', [forgotten])
    expect(rows).toEqual([{ error: 'never provisioned', body: Buffer.from('x') }])
    expect(await purge(db, undefined)).toEqual({ idempotencyKeys: 0, rateLimits: 0, outbox: 0, buried: 0 })
  })

  it('takes batch after batch, and never runs ahead of the clock', async () => {
    const org = await createOrg(db)
    await db.$client.query(
      `insert into idempotency_keys (org_id, key, request_digest, created_at)
       select $1, n::text, '', now() - interval '25 hours' from generate_series(1, 2500) n`,
      [org.id],
    )
    await db.$client.query(
      `insert into idempotency_keys (org_id, key, request_digest) values ($1, 'young', '')`,
      [org.id],
    )
    expect((await purge(db, later(new Date(), 400))).idempotencyKeys).toBe(2_500)
    expect((await purge(db, later(new Date(), 400))).idempotencyKeys).toBe(0)
  })
})

it('the worker does what a schedule asks for, and what is added by hand, and shows its progress', async () => {
  const own = await createTestDatabase()
  const org = await createOrg(own.db, { expiry_days: 60 })
  const room = await createRoom(own.db, org, { contactCreatedAt: ago(61) })
  const log = createLogger({ logLevel: 'silent' })
  const engine = openEngine({ redisUrls: [], databaseUrl: own.url })
  const producer = createProducer({ engine, log })
  onTestFinished(() => producer.close(1_000))
  const onCanary = async () => {}
  const worker = startMaintenance({ engine, onCanary, db: own.db, producer, log })
  onTestFinished(() => worker.close(1_000))
  await expect.poll(() => producer.queue('maintenance'), { timeout: 10_000 }).toBeDefined()
  const queue = producer.queue('maintenance')!
  const progress: Record<string, unknown> = {}
  for (const { name } of SCHEDULES) {
    const { id } = await queue.add(name, {}, { removeOnComplete: false })
    const job = async () => (await queue.getJob(id!))!
    await expect.poll(async () => (await job()).getState(), { timeout: 10_000 }).toBe('completed')
    progress[name] = (await job()).progress
  }
  expect(progress).toMatchObject({
    'expire-old': { done: 2 },
    'deactivate-inactive': { done: 0 },
    purge: { done: 0 },
  })
  const { rows } = await own.db.$client.query(
    `select name, rows, answered_at > now() - interval '1 minute' as lately from heartbeats where kind = 'sweep'`,
  )
  expect(rows, 'each says when it finished and how many rows it changed').toHaveLength(SCHEDULES.length)
  expect(rows).toContainEqual({ name: 'expire-old', rows: 2, lately: true })
  expect(await readRoom(own.db, org.id, room.id)).toMatchObject({ state: 'expired' })
})

describe.each(['empty', 'loaded'])('on %s tables', (fill) => {
  const BIG = ['chatrooms', 'contacts', 'customers', 'outbox', 'idempotency_keys']

  it('sweeps, preview and purge read by index, whatever the statistics say', async () => {
    const own = await createTestDatabase()
    if (fill === 'loaded') {
      for (let i = 0; i < 20; i++) {
        const org = await createOrg(own.db, { inactivity_days: 62 + i, expiry_days: 300 })
        await createSilentRooms(own.db, org, 1_500)
      }
      await own.db.$client.query('analyze')
    }
    const org = await createOrg(own.db, { inactivity_days: 30, expiry_days: 60 })
    await createRoom(own.db, org, { customer: '+15550000001', activatedAt: ago(40) })
    await createRoom(own.db, org, { customer: '+15550000002', contactCreatedAt: ago(61) })
    const recorder = recordStatements(own.pool)
    await previewSweep(own.db, undefined)
    await inTransaction(own.db, (tx) => sweep(tx, undefined))
    recorder.stop()
    const statements = recorder.statements.filter((s) => s.name !== '')
    expect(statements.map((s) => s.name)).toEqual(
      expect.arrayContaining([
        'preview-sweep',
        'pick-contacts-to-expire',
        'expire-contacts',
        'pick-chatrooms-to-deactivate',
        'deactivate-chatrooms',
        'lock-free-customers',
        'purge-outbox',
      ]),
    )
    for (const statement of statements) {
      const nodes = await planNodes(own.db, statement)
      const joins = nodes.filter((n) => /^(Hash|Merge) Join/.test(n))
      const scans = nodes.filter(
        (n) => n.startsWith('Seq Scan') && BIG.some((table) => n.endsWith(` ${table}`)),
      )
      expect([statement.name, joins, scans]).toEqual([statement.name, [], []])
      expect([statement.name, await wholeScans(own.db, statement)]).toEqual([statement.name, []])
      if (statement.name.startsWith('pick-'))
        expect(nodes.slice(0, 2)).toEqual(['Limit on -', 'Nested Loop on -'])
    }
  })

  type Plan = { 'Relation Name'?: string; 'Index Cond'?: string; 'Node Type': string; Plans?: Plan[] }

  /** Scans of big tables that read all of an index: as bad as reading the table, and without statistics as likely. */
  async function wholeScans(on: Db, { text, values }: Statement): Promise<string[]> {
    const { rows } = await on.$client.query(`explain (format json) ${text}`, values)
    const walk = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(walk)]
    return walk(rows[0]['QUERY PLAN'][0].Plan)
      .filter((n) => n['Node Type'].startsWith('Index') && BIG.includes(n['Relation Name'] ?? ''))
      .filter((n) => n['Index Cond'] === undefined)
      .map((n) => `${n['Node Type']} on ${n['Relation Name']}`)
  }
})

/** Runs `work` once, just before the next statement of this name is sent. */
function beforeStatement({ pool }: TestDatabase, name: string, work: () => Promise<unknown>): void {
  const original = pool.connect
  const connect = original.bind(pool) as () => Promise<pg.PoolClient>
  pool.connect = (async () => {
    const client = await connect()
    const query = client.query
    const send = query.bind(client) as (...args: unknown[]) => unknown
    client.query = (async (...args: unknown[]) => {
      if ((args[0] as { name?: string }).name === name) {
        client.query = query
        pool.connect = original
        await work()
      }
      return send(...args)
    }) as typeof client.query
    return client
  }) as typeof pool.connect
}
