import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Db, openDatabase } from '../../src/db/client.ts'
import { chatrooms } from '../../src/db/schema/index.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { applyOverdue } from '../../src/rules/lifecycle.ts'
import type { Room } from '../../src/rules/room.ts'
import { createTestDatabase } from '../support/database.ts'
import type { RoomKey } from '../support/lifecycle.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { DAY } from '../support/time.ts'

describe('the sweep in SQL and the pure rule that routing applies', () => {
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

  it('give the same states, times and reasons for any chatrooms and settings', async () => {
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
        const expected = applyOverdue(rooms, { inactivityDays, expiryDays }, at)
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
      const rest = {
        createdAt,
        lastAutoReplyAt: null,
        autoReplies: 0,
        autoRepliesSince: null,
        pendingUserId: null,
      }
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
