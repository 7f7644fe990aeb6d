import { describe, expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { lockCustomers } from '../../src/identity/lock-customers.ts'
import type { Changes } from '../../src/lifecycle/changes.ts'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../../src/lifecycle/expire-old.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { readRoom } from '../support/inbox.ts'
import { beforeStatement, createSilentRooms, NO_CHANGES } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

const database = await createTestDatabase()
const { db } = database

describe('sweeps that run at the same time', () => {
  const SWEEPS = [
    {
      name: 'inactivity',
      run: deactivateInactive,
      kind: 'chatroom.deactivated',
      settings: { inactivity_days: 30 },
      change: 'deactivate-chatrooms',
    },
    {
      name: 'expiry',
      run: expireOld,
      kind: 'chatroom.expired',
      settings: { expiry_days: 60 },
      change: 'expire-contacts',
    },
  ]
  const chatroomsOf = (changes: Changes) =>
    [...changes.values()].reduce((sum, c) => sum + c.chatroomsExpired + c.chatroomsDeactivated, 0)

  it.each(SWEEPS)(
    'change every chatroom once, with one audit event ($name)',
    async ({ run, kind, settings }) => {
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
    },
  )

  it('skip a customer that routing has locked, without waiting, and the next run does the rest', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const locked = await createRoom(db, org, { customer: '+15550000001', activatedAt: ago(40) })
    const lockedOld = await createRoom(db, org, { customer: '+15550000002', contactCreatedAt: ago(61) })
    const free = await createRoom(db, org, { customer: '+15550000003', activatedAt: ago(40) })
    const states = async () =>
      Promise.all([locked, lockedOld, free].map(async ({ id }) => (await readRoom(db, org.id, id)).state))
    await inTransaction(db, async (tx) => {
      await run(tx, lockCustomers([locked, lockedOld].map((r) => ({ orgId: org.id, id: r.customerId }))))
      await sweep(db, undefined)
      expect(await states()).toEqual(['active', 'active', 'deactivated'])
    })
    await sweep(db, undefined)
    expect(await states()).toEqual(['deactivated', 'expired', 'deactivated'])
  })

  it.each(SWEEPS)(
    'go on after a full batch of customers that are all locked ($name)',
    async ({ run, settings }) => {
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
    },
  )

  it.each(SWEEPS)('lock the customers of one batch, no more ($name)', async ({ run, settings, change }) => {
    const own = await createTestDatabase()
    await createSilentRooms(own.db, await createOrg(own.db, settings), 1_500)
    let free = 0
    beforeStatement(own, change, async () => {
      const { rowCount } = await own.pool.query('select 1 from customers for update skip locked')
      free = rowCount ?? 0
    })
    expect(chatroomsOf(await run(own.db, undefined))).toBe(1_500)
    expect(free).toBe(500)
  })

  it('check a chatroom again when they change it: a message in between keeps it active', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(40) })
    beforeStatement(database, 'deactivate-chatrooms', () =>
      database.pool.query('update chatrooms set last_inbound_at = now() where id = $1', [room.id]),
    )
    expect((await deactivateInactive(db, undefined)).get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active', deactivated_at: null })
  })

  it('check a contact again when they change it: a contact that expired in between is not expired twice', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    beforeStatement(database, 'expire-contacts', async () => {
      for (const [table, id] of [
        ['contacts', room.contactId],
        ['chatrooms', room.id],
      ])
        await database.pool.query(`update ${table} set expired_at = now() where id = $1`, [id])
    })
    expect((await expireOld(db, undefined)).get(org.id)).toBeUndefined()
    expect(await eventsOfOrg(db, org.id, 'chatroom.%', 'contact.%')).toEqual([])
  })
})

describe('a sweep that fails half-way', () => {
  it('keeps the batches it has committed, and the next run does the rest, each chatroom once', async () => {
    const own = await createTestDatabase()
    const org = await createOrg(own.db, { inactivity_days: 30 })
    await createSilentRooms(own.db, org, 2_500)
    await own.db.$client.query(
      `alter table chatrooms add constraint fails_here check (display_name <> '1500' or deactivated_at is null)`,
    )
    const progress: number[] = []
    await expect(deactivateInactive(own.db, undefined, (done) => progress.push(done))).rejects.toThrow(
      'fails_here',
    )
    expect(progress).toEqual([1_000])
    const count = async (what: string) => (await own.db.$client.query(`select 1 from ${what}`)).rowCount
    expect(await count(`chatrooms where state = 'deactivated'`)).toBe(1_000)
    expect(await count(`events where kind = 'chatroom.deactivated'`)).toBe(1_000)

    await own.db.$client.query('alter table chatrooms drop constraint fails_here')
    const rest = await deactivateInactive(own.db, undefined, (done) => progress.push(done))
    expect(rest.get(org.id)).toEqual({ ...NO_CHANGES, chatroomsDeactivated: 1_500 })
    expect(progress).toEqual([1_000, 1_000, 1_500])
    expect(await count(`chatrooms where state = 'deactivated'`)).toBe(2_500)
    expect(await count(`events where kind = 'chatroom.deactivated'`)).toBe(2_500)
  })
})
