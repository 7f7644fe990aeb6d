import { expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { type Origin, refusalOf } from '../../src/outbound/policy.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import { createTestDatabase } from '../support/database.ts'
import { createRooms, createSendingOrg } from '../support/org.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

/** All combinations of one value of each list. */
const combine = (...lists: unknown[][]): unknown[][] =>
  lists.reduce<unknown[][]>((all, list) => all.flatMap((one) => list.map((value) => [...one, value])), [[]])

const hoursAgo = (hours: number) => ago(hours / 24)

type Case = [
  state: 'active' | 'deactivated' | 'expired',
  origin: Origin,
  isTemplate: boolean,
  hours: number | null,
  optedOut: boolean,
  pausedForHours: number | null,
]

it('the claim refuses exactly the messages that the API would refuse', async () => {
  const org = await createSendingOrg(db)
  const cases = combine(
    ['active', 'deactivated', 'expired'],
    ['AGENT', 'CAMPAIGN'],
    [true, false],
    [1, 25, null],
    [true, false],
    [1, -1, null],
  ) as Case[]
  const rooms = await createRooms(
    db,
    cases.map(([state, , , hours], i) => ({
      org,
      room: {
        customer: `+1555${2_000_000 + i}`,
        ...(hours !== null && { lastInboundAt: hoursAgo(hours) }),
        ...(state === 'deactivated' && { deactivatedAt: hoursAgo(0.1) }),
        ...(state === 'expired' && { expiredAt: hoursAgo(0.1) }),
      },
    })),
  )
  for (const [i, [, , , , optedOut, paused]] of cases.entries()) {
    await db.$client.query(
      `update customers set opted_out_at = case when $3 then now() end,
         marketing_paused_until = now() + $4 * interval '1 hour' where org_id = $1 and id = $2`,
      [org.id, rooms[i]!.customerId, optedOut, paused],
    )
  }
  const messages = cases.map(([, origin, isTemplate], i) => {
    const { id: roomId, customerId, wabaPhoneId: phoneId } = rooms[i]!
    const payload = { type: isTemplate ? 'template' : 'text' }
    const message = { kind: 'message' as const, inReplyTo: null, reason: 'test', payload }
    return { orgId: org.id, roomId, customerId, phoneId, origin, ...message }
  })
  const rows = await run(db, queueMessages(messages))
  for (let left = rows.length; left > 0; left -= 100) await claimOf(db, org.id)
  const { rows: ends } = await db.$client.query(
    `select chatroom_id, error, state from outbox where org_id = $1`,
    [org.id],
  )
  const now = new Date()
  for (const [i, one] of cases.entries()) {
    const [state, origin, isTemplate, hours, optedOut, paused] = one
    const recipient = {
      ...{ state, optedOut },
      windowSince: hours === null ? null : hoursAgo(hours),
      marketingPausedUntil: paused === null ? null : hoursAgo(-paused),
    }
    const refusal = refusalOf({ origin, isTemplate }, recipient, now) ?? null
    const end = ends.find((row) => row.chatroom_id === rooms[i]!.id)
    expect([one, end.error, end.state]).toEqual([one, refusal, refusal ? 'failed' : 'sending'])
  }
})
