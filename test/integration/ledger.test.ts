import { describe, expect, it, onTestFinished } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { countStrays } from '../../src/messages/count-strays.ts'
import { heldMessages } from '../../src/messages/held-messages.ts'
import { listMessages } from '../../src/messages/list-messages.ts'
import { decodeCursor } from '../../src/messages/message-page.ts'
import { applyEarlyStatuses } from '../../src/outbound/early-statuses.ts'
import { monthsOfMessage } from '../../src/rules/ledger-months.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, readMessage } from '../support/inbox.ts'
import { insertMessage, monthOf, partitionOf, partitionsOf } from '../support/ledger.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { planNodes, recordEverything } from '../support/statements.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db, pool } = await createTestDatabase()
const now = new Date()
const thisMonth = monthOf(now)
const lastSecond = new Date(thisMonth.getTime() - 1_000)
const CUSTOMER = '15550001111'

describe('a message is stored once', () => {
  it('in the partition of the month that Meta gives it, also when it is delivered again in the next month', async () => {
    const org = await createOrg(db)
    const late = message({ at: lastSecond })
    await deliver(db, post(org.phones[0]!, late))
    const again = await deliver(db, post(org.phones[0]!, late), post(org.phones[0]!, message({})))
    expect(again.duplicates).toBe(1)
    expect(await partitionsOf(pool, org)).toEqual({ [partitionOf(lastSecond)]: 1, [partitionOf(now)]: 1 })
  })

  it.each([
    ['ghost first', [true, false]],
    ['content first', [false, true]],
  ])(
    'when its ghost is of the last second of a month and its content of the next month (%s)',
    async (_, order) => {
      const org = await createOrg(db)
      const { id: roomId } = await createRoom(db, org, { customer: `+${CUSTOMER}` })
      const id = newWamid()
      for (const [i, isGhost] of order.entries()) {
        const at = i === 0 ? lastSecond : thisMonth
        await deliver(db, post(org.phones[0]!, message({ id, at, type: isGhost ? 'unsupported' : 'text' })))
      }
      expect(await readMessage(db, org.id, id)).toMatchObject({ type: 'text', chatroom_id: roomId })
      expect(await partitionsOf(pool, org)).toEqual({ [partitionOf(lastSecond)]: 1 })
    },
  )

  it('by a constraint in each month', async () => {
    const org = await createOrg(db)
    for (const at of [now, lastSecond, new Date('1971-01-01')]) {
      await insertMessage(pool, org, { wamid: `w${at.getTime()}`, at })
      await expect(
        insertMessage(pool, org, { wamid: `w${at.getTime()}`, at: new Date(at.getTime() + 1) }),
      ).rejects.toThrow(/duplicate key/)
    }
  })

  it('the message that a reaction names is found in the month before', async () => {
    const org = await createOrg(db)
    const { id: roomId } = await createRoom(db, org, { customer: `+${CUSTOMER}`, deactivatedAt: new Date() })
    await insertMessage(pool, org, { wamid: 'named', at: lastSecond })
    await pool.query(
      `update messages m set chatroom_id = r.id, customer_id = r.customer_id from chatrooms r
       where m.org_id = $1 and r.org_id = $1 and r.id = $2`,
      [org.id, roomId],
    )
    const reaction = message({ type: 'reaction', extra: { reaction: { message_id: 'named', emoji: '👍' } } })
    await deliver(db, post(org.phones[0]!, reaction))
    expect(await readMessage(db, org.id, reaction.id)).toMatchObject({ chatroom_id: roomId, route: null })
  })
})

describe('a status finds its message', () => {
  const report = async (days: number) => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: `+${CUSTOMER}` })
    const wamid = newWamid()
    const place = { roomId: room.id, customerId: room.customerId }
    await insertMessage(pool, org, { wamid, at: ago(days), direction: 'out', ...place })
    const statuses = [{ id: wamid, status: 'read', timestamp: String(Math.floor(Date.now() / 1000)) }]
    await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses })])))
    const { rows } = await pool.query('select status from early_statuses where org_id = $1', [org.id])
    return { status: (await readMessage(db, org.id, wamid)).status, early: rows.length }
  }

  it.each([0, 6, 8, 61, 99])('of %i days ago', async (days) => {
    expect(await report(days)).toEqual({ status: 'read', early: 0 })
  })

  it('of up to 100 days ago, and is forgotten after a day if that is older', async () => {
    expect(await report(101)).toEqual({ status: null, early: 1 })
    expect(await run(db, applyEarlyStatuses())).toMatchObject({ applied: 0 })
  })
})

describe('a message of a month without a partition', () => {
  it('is in the default partition, which is counted', async () => {
    const before = await countStrays(db)
    const org = await createOrg(db)
    const { id } = await createRoom(db, org, { customer: `+${CUSTOMER}` })
    await deliver(db, post(org.phones[0]!, message({ at: new Date(1_000) })))
    await insertMessage(pool, org, { wamid: 'y2100', at: new Date('2100-01-01') })
    expect(await partitionsOf(pool, org)).toEqual({ messages_default: 2 })
    expect(await countStrays(db)).toEqual({ ...before, far: before.far + 2 })
    const { messages } = await listMessages(db, {
      ...{ orgId: org.id, chatroomId: id, viewer: undefined, before: undefined, limit: 10 },
    })
    expect(messages.map(({ sent_at }) => sent_at)).toEqual(['1970-01-01T00:00:01.000Z'])
  })

  it('is the time of its receipt if Meta gives it a time that is still to come', async () => {
    const org = await createOrg(db)
    await deliver(db, post(org.phones[0]!, message({ at: new Date('2100-01-01') })))
    expect(await partitionsOf(pool, org)).toEqual({ [partitionOf(now)]: 1 })
  })
})

describe('a timeline', () => {
  it('is read across three months in the order of the index, a page after another, and nothing is sorted', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: `+${CUSTOMER}` })
    const place = { roomId: room.id, customerId: room.customerId }
    const times = Array.from({ length: 30 }, (_, i) => ago(2 * i + 1))
    for (const at of times) await insertMessage(pool, org, { wamid: `w${at.getTime()}`, at, ...place })
    const seen: string[] = []
    const statements = await recordEverything(async () => {
      for (let before: ReturnType<typeof decodeCursor>, first = true; first || before; first = false) {
        const page = await listMessages(db, {
          ...{ orgId: org.id, chatroomId: room.id, viewer: undefined, before, limit: 7 },
        })
        seen.push(...page.messages.map(({ sent_at }) => sent_at))
        before = page.next_before === null ? undefined : decodeCursor(page.next_before)
      }
      await heldMessages(db, { orgId: org.id, before: undefined, limit: 7 })
    })
    expect(seen).toEqual(times.map((at) => at.toISOString()))
    for (const name of ['list-messages', 'held-messages']) {
      const nodes = await planNodes(db, statements.find((one) => one.name === name)!)
      expect([name, nodes.filter((node) => /^(Sort|Seq Scan)/.test(node))]).toEqual([name, []])
      expect(nodes.some((node) => /^(Merge )?Append/.test(node))).toBe(true)
    }
  })

  it('does not open the partitions after the place where a page begins', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { customer: `+${CUSTOMER}` })
    const before = { sentAt: lastSecond, seq: '0', wamid: '' }
    const statements = await recordEverything(
      async () =>
        void (await listMessages(db, {
          orgId: org.id,
          chatroomId: room.id,
          viewer: undefined,
          before,
          limit: 7,
        })),
    )
    const { text, values } = statements.find(({ name }) => name === 'list-messages')!
    const { rows } = await pool.query(`explain ${text}`, values)
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain(partitionOf(lastSecond))
    expect(plan).not.toContain(partitionOf(now))
  })
})

describe('routing', () => {
  it('opens only the partitions of the months around the times of its messages', async () => {
    const org = await createOrg(db)
    const middle = new Date(monthOf(now, -1).getTime() + 14 * 86_400_000)
    const statements = await recordEverything(
      async () => void (await deliver(db, post(org.phones[0]!, message({ at: middle })))),
    )
    const { text, values } = statements.findLast(({ name }) => name === 'read-known-messages')!
    const client = await pool.connect()
    onTestFinished(() => client.release(true))
    await client.query({ name: 'known', text, values })
    const months = monthsOfMessage(middle)
    const [since, until] = [months.since, months.until].map((at) => at.toISOString())
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await client.query(`set plan_cache_mode = ${mode}`)
      const { rows } = await client.query(
        `explain execute known('{${org.id}}', '{x}', '{${since}}', '{${until}}', '${since}', '${until}')`,
      )
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      const opened = [...plan.matchAll(/ on (messages_\w+)/g)].map(([, table]) => table)
      expect([mode, new Set(opened)]).toEqual([mode, new Set([partitionOf(middle)])])
    }
  })
})
