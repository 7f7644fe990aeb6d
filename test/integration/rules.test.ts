import fc from 'fast-check'
import { v7 as uuidv7 } from 'uuid'
import { beforeAll, describe, expect, it } from 'vitest'
import { byPreference, PREFERRED_FIRST } from '../../src/rules/latest.ts'
import { NEXT_SEQ, seqOf } from '../../src/rules/ledger-order.ts'
import { EXPIRES_AT, EXPIRY_IS_DUE, expiryOf, isExpired } from '../../src/rules/lifecycle.ts'
import { outboxIdSql, provisionalWamid, provisionalWamidSql } from '../../src/rules/provisional-wamid.ts'
import type { Room, RoomState } from '../../src/rules/room.ts'
import { firstUuidOf } from '../../src/rules/uuid-time.ts'
import { isWindowOpen, isWindowOpenSql, mayBeClosedSql } from '../../src/rules/window.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = new Date('2026-03-29T01:30:00.500Z')

let pool: TestDatabase['pool']

beforeAll(async () => {
  ;({ pool } = await createTestDatabase())
})

async function read<T>(text: string, values: unknown[] = []): Promise<T[]> {
  return (await pool.query(text, values)).rows as T[]
}

describe('the rules that SQL and TypeScript both know agree about', () => {
  it('which chatroom is preferred', async () => {
    const few = fc.integer({ min: 0, max: 2 }).map((days) => new Date(NOW.getTime() - days * DAY))
    const room = fc.record({
      id: fc.uuid(),
      createdAt: few,
      deactivatedAt: few,
      expiredAt: few,
      state: fc.constantFrom<RoomState>('deactivated', 'expired'),
      wasActive: fc.boolean(),
    })
    type Drawn = typeof room extends fc.Arbitrary<infer T> ? T : never
    const toRoom = ({ id, createdAt, deactivatedAt, expiredAt, state, wasActive }: Drawn): Room => ({
      ...{ id, createdAt, state, contactId: id, contactCreatedAt: createdAt, activatedAt: createdAt },
      ...{
        lastInboundAt: null,
        lastAutoReplyAt: null,
        autoReplies: 0,
        autoRepliesSince: null,
        pendingUserId: null,
      },
      deactivatedAt: state === 'expired' && wasActive ? null : deactivatedAt,
      expiredAt: state === 'expired' ? expiredAt : null,
    })
    const active = (one: Room): Room => ({ ...one, state: 'active', deactivatedAt: null, expiredAt: null })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(room, { maxLength: 8, selector: (r) => r.id }),
        fc.boolean(),
        async (drawn, oneIsActive) => {
          const rooms = drawn.map(toRoom).map((r, i) => (i === 0 && oneIsActive ? active(r) : r))
          const rows = await read<{ id: string }>(
            `select id from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
               as r(id, created_at, deactivated_at, expired_at) order by ${PREFERRED_FIRST}`,
            [
              rooms.map((r) => r.id),
              rooms.map((r) => r.createdAt),
              rooms.map((r) => r.deactivatedAt),
              rooms.map((r) => r.expiredAt),
            ],
          )
          expect(rows.map((r) => r.id)).toEqual(rooms.toSorted(byPreference).map((r) => r.id))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('when a contact expires', async () => {
    const days = fc.option(fc.constantFrom(1, 2, 30))
    const offset = fc.constantFrom(-1, 0, 1)
    await fc.assert(
      fc.asyncProperty(days, fc.constantFrom(1, 2, 30), offset, async (expiryDays, age, ms) => {
        const createdAt = new Date(NOW.getTime() - age * DAY + ms)
        const [row] = await read<{ at: Date | null; due: boolean | null }>(
          `select ${EXPIRES_AT} as at, ${EXPIRY_IS_DUE} as due
           from (select $2::timestamptz, null::timestamptz) c(created_at, expired_at), (select $3::int) o(expiry_days)`,
          [NOW, createdAt, expiryDays],
        )
        const contact = { createdAt, expiredAt: null }
        expect(row!.at ?? undefined).toEqual(expiryOf(contact, expiryDays))
        expect(row!.due ?? false).toBe(isExpired(contact, expiryDays, NOW))
      }),
    )
  })

  it('the window of 24 h, less its margin', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0, 23, 24),
        fc.integer({ min: -30_002, max: 2 }),
        async (hours, ms) => {
          const age = hours * HOUR + ms
          const [row] = await read<{ open: boolean; closed: boolean }>(
            `select ${isWindowOpenSql('o.at')} as open, ${mayBeClosedSql('o.at')} as closed
           from (select now() - $1 * interval '1 millisecond') o(at)`,
            [age],
          )
          const open = isWindowOpen(new Date(NOW.getTime() - age), NOW)
          expect([row!.open, row!.closed]).toEqual([open, !open])
        },
      ),
    )
    expect(
      (await read<{ open: boolean }>(`select ${isWindowOpenSql('null::timestamptz')} as open`))[0]!.open,
    ).toBe(false)
  })

  it('the place in the ledger of what Usher writes itself', async () => {
    const [row] = await read<{ seq: string; last: string }>(
      `select s.seq::text, currval('inbox_id_seq')::text as last from (select ${NEXT_SEQ} as seq) s`,
    )
    expect(Number(row!.seq)).toBe(seqOf(Number(row!.last), 0))
  })

  it('the wamid of a message that Meta has not taken yet', async () => {
    const id = uuidv7()
    const [row] = await read(`select ${provisionalWamidSql('id')} as wamid from (select $1::uuid as id) o`, [
      id,
    ])
    expect(row).toEqual({ wamid: provisionalWamid(id) })
    const idOf = async (direction: string, wamid: string) => {
      const [read1] = await read<{ id: string | null }>(
        `select ${outboxIdSql('m')} as id from (select $1::text as direction, $2::text as wamid) m`,
        [direction, wamid],
      )
      return read1?.id
    }
    expect(await idOf('out', provisionalWamid(id))).toBe(id)
    expect(await idOf('out', 'wamid.HBg')).toBe(null)
    expect(await idOf('out', 'outbox:zzz'), 'Meta may give any wamid').toBe(null)
    expect(await idOf('in', provisionalWamid(id)), 'a customer has no outbox row').toBe(null)
  })

  it('which UUIDv7 a time begins with', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.date({ min: new Date('1970-01-02'), max: new Date('2999-12-31'), noInvalidDate: true }),
        async (at) => {
          const [row] = await read<{ before: boolean; from: boolean }>(
            `select $1::uuid < ${firstUuidOf('$3::timestamptz')} as before, $2::uuid >= ${firstUuidOf('$3::timestamptz')} as from`,
            [uuidv7({ msecs: at.getTime() - 1 }), uuidv7({ msecs: at.getTime() }), at],
          )
          expect(row).toEqual({ before: true, from: true })
        },
      ),
    )
  })
})
