import { describe, expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { claimSends } from '../../src/outbound/claim-sends.ts'
import { markEnded, markSent, requeueSend } from '../../src/outbound/end-send.ts'
import { queueMessages } from '../../src/outbound/queue-messages.ts'
import type { Send } from '../../src/outbound/read-send.ts'
import { createTestDatabase } from '../support/database.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

/** An org, and its customers with an active chatroom each, who have just written. */
async function pairs(count: number) {
  const org = await createSendingOrg(db)
  const rooms = []
  for (let i = 0; i < count; i += 1) {
    rooms.push(await createRoom(db, org, { customer: `+155500011${10 + i}`, lastInboundAt: ago(0) }))
  }
  return { org, rooms }
}

type Room = Awaited<ReturnType<typeof createRoom>>
type Kind = 'message' | 'auto_reply'

/** Queues messages named by `names`, in this order. */
function queue(org: TestOrg, room: Room, names: string[], kind: Kind = 'message') {
  const { id: roomId, customerId, wabaPhoneId: phoneId } = room
  const place = { orgId: org.id, roomId, customerId, phoneId }
  const messages = names.map((name) => ({
    ...place,
    ...{ kind, reason: 'test', payload: { type: 'text', text: { body: name } } },
    origin: kind === 'message' ? ('AGENT' as const) : null,
    inReplyTo: kind === 'message' ? null : `${customerId}-${name}`,
  }))
  return run(db, queueMessages(messages))
}

const nameOf = ({ payload }: Send) => (payload as { text: { body: string } }).text.body
const claimNames = async (org: TestOrg) => (await claimOf(db, org.id)).map(nameOf)
const sent = (send: Send) => run(db, markSent(send, `wamid.${send.id}`))

async function pairDue(org: TestOrg): Promise<Date | null> {
  const { rows } = await db.$client.query('select due_at from outbox_pairs where org_id = $1', [org.id])
  return rows[0].due_at
}

describe('the messages of one pair', () => {
  it('are claimed one at a time, in the order in which they were accepted', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, ['1', '2', '3'])
    for (const name of ['1', '2', '3']) {
      const [send, ...others] = await claimOf(db, org.id)
      expect([nameOf(send!), others]).toEqual([name, []])
      expect(await claimNames(org)).toEqual([])
      await sent(send!)
    }
    expect([await claimNames(org), await pairDue(org)]).toEqual([[], null])
  })

  it('wait for one that is to be tried again, and not for one that failed or is unknown', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, ['1', '2', '3', '4'])
    const [first] = await claimOf(db, org.id)
    await run(db, requeueSend(first!, 1, 'not sent', 60_000))
    expect(await claimNames(org)).toEqual([])
    await db.$client.query('update outbox set due_at = now() where id = $1', [first!.id])
    const [again] = await claimOf(db, org.id)
    expect(nameOf(again!)).toBe('1')
    await run(db, markEnded(again!, 'unknown', 'no reply'))
    const [second] = await claimOf(db, org.id)
    expect(nameOf(second!)).toBe('2')
    await run(db, markEnded(second!, 'failed', 'no'))
    expect(await claimNames(org)).toEqual(['3'])
  })

  it('are claimed once by eight claims at the same time, and never two of them', async () => {
    const { org, rooms } = await pairs(5)
    for (const room of rooms) await queue(org, room, ['1', '2'])
    const turns = { slots: 10, slotsOfOrg: 10, underWay: [], unusable: [] }
    await claimOf(db, 'nobody')
    await db.$client.query('update outbox_pairs set due_at = now() where org_id = $1', [org.id])
    const claims = await Promise.all(Array.from({ length: 8 }, () => run(db, claimSends(turns))))
    expect(claims.flatMap(({ sends }) => sends.map(nameOf))).toEqual(['1', '1', '1', '1', '1'])
  })

  it('cannot be under way twice, whatever a statement says', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, ['1', '2'])
    const wrong = `update outbox set state = 'sending' where org_id = $1`
    await expect(db.$client.query(wrong, [org.id])).rejects.toThrow('outbox_one_sending')
  })

  it('of people go before auto-replies that wait', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, ['reply 1', 'reply 2'], 'auto_reply')
    await queue(org, rooms[0]!, ['1', '2'])
    const names: string[] = []
    for (let i = 0; i < 4; i += 1) {
      const [send] = await claimOf(db, org.id)
      names.push(nameOf(send!))
      await sent(send!)
    }
    expect(names).toEqual(['1', '2', 'reply 1', 'reply 2'])
  })
})

describe('the rate of a pair', () => {
  async function drain(org: TestOrg): Promise<string[]> {
    const names: string[] = []
    for (let claimed = await claimOf(db, org.id); claimed.length > 0; claimed = await claimOf(db, org.id)) {
      names.push(...claimed.map(nameOf))
      for (const send of claimed) await sent(send)
    }
    return names
  }

  const numbered = (n: number, prefix = '') => Array.from({ length: n }, (_, i) => `${prefix}${i}`)

  it('lets ten messages leave in a minute; then one row says when the next may', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, numbered(60))
    expect(await drain(org)).toEqual(numbered(10))
    const { rows } = await db.$client.query(
      `select due_at > now() + interval '30 seconds' and due_at <= now() + interval '1 minute' as soon
       from outbox_pairs where org_id = $1`,
      [org.id],
    )
    expect(rows).toEqual([{ soon: true }])
    await db.$client.query(
      `update outbox set claimed_at = claimed_at - interval '1 minute' where org_id = $1`,
      [org.id],
    )
    expect(await drain(org)).toEqual(numbered(20).slice(10))
  })

  it('is at most half used by auto-replies, and the rest is free for what people send', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, numbered(20, 'reply '), 'auto_reply')
    expect(await drain(org)).toEqual(numbered(5, 'reply '))
    await queue(org, rooms[0]!, numbered(6))
    expect(await drain(org)).toEqual(numbered(5))
  })

  it('that is used up does not hold up other pairs of the number', async () => {
    const { org, rooms } = await pairs(2)
    await queue(org, rooms[0]!, numbered(20))
    await drain(org)
    await queue(org, rooms[1]!, ['other'])
    expect(await claimNames(org)).toEqual(['other'])
  })
})

describe('turns', () => {
  it('give each org as many slots, then each number of an org, however much one of them has waiting', async () => {
    const many = await pairs(12)
    const few = await pairs(1)
    for (const room of many.rooms) await queue(many.org, room, ['many'])
    await queue(few.org, few.rooms[0]!, ['few'])
    await claimOf(db, 'nobody')
    const orgs = [many.org.id, few.org.id]
    await db.$client.query('update outbox_pairs set due_at = now() where org_id = any($1)', [orgs])
    const { sends } = await run(db, claimSends({ slots: 2, slotsOfOrg: 24, underWay: [], unusable: [] }))
    expect(sends.map(nameOf).sort()).toEqual(['few', 'many'])
  })

  it('go to the org with fewer sends under way, and never to one that uses its share of the slots', async () => {
    const [a, b] = [await pairs(3), await pairs(1)]
    for (const room of a.rooms) await queue(a.org, room, ['a'])
    await queue(b.org, b.rooms[0]!, ['b'])
    await claimOf(db, 'nobody')
    const orgs = [a.org.id, b.org.id]
    await db.$client.query('update outbox_pairs set due_at = now() where org_id = any($1)', [orgs])
    const ofA = { org: a.org.id, phoneId: a.org.phones[0]! }
    const first = await run(db, claimSends({ slots: 1, slotsOfOrg: 2, underWay: [ofA], unusable: [] }))
    expect(first.sends.map(nameOf)).toEqual(['b'])
    const second = await run(db, claimSends({ slots: 5, slotsOfOrg: 2, underWay: [ofA], unusable: [] }))
    expect(second.sends.map(nameOf)).toEqual(['a'])
  })

  it('pass by the numbers that are stopped', async () => {
    const { org, rooms } = await pairs(1)
    await queue(org, rooms[0]!, ['1'])
    await db.$client.query('update waba_phones set stopped_at = now() where org_id = $1', [org.id])
    expect(await claimNames(org)).toEqual([])
    await db.$client.query('update waba_phones set stopped_at = null where org_id = $1', [org.id])
    expect(await claimNames(org)).toEqual(['1'])
  })
})
