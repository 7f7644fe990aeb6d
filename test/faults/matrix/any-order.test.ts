import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Db } from '../../../src/db/client.ts'
import { createTestDatabase } from '../../support/database.ts'
import { seededRandom } from '../../support/faults/random.ts'
import { publishFigure, rounds, SEED } from '../../support/figures.ts'
import { deliver } from '../../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../../support/org.ts'
import { bytes, change, delivery, message, post } from '../../support/webhooks.ts'

describe('deliveries in any order', () => {
  const MESSAGES = 200
  const EPOCH = 1_790_000_000_000

  /** An org whose customers have an active, a deactivated, an expired or no chatroom, and that has sent ten messages. */
  async function openOrg(db: Db): Promise<TestOrg> {
    const org = await createOrg(db)
    for (const [i, columns] of [
      {},
      { deactivatedAt: new Date(EPOCH) },
      { expiredAt: new Date(EPOCH) },
    ].entries())
      for (const nth of [0, 1, 2, 3])
        await createRoom(db, org, { customer: `+1555000${i}00${nth}`, ...columns })
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       select $1, 'ours.' || n, $2, 'out', 'text', now(), now(), n, 'sent', '{}' from generate_series(0, 9) as n`,
      [org.id, org.phones[0]],
    )
    return org
  }

  const posts = (org: TestOrg) =>
    Array.from({ length: MESSAGES }, (_, i) => {
      const m = { from: `1555000${i % 4}00${i % 3}`, id: `wamid.${i}`, at: new Date(EPOCH + i * 60_000) }
      const ghost = { ...m, type: 'unsupported', extra: { errors: [{ code: 131051 }] } }
      const words = ['sent', 'delivered', 'read']
      const statuses = [{ id: `ours.${i % 10}`, status: words[i % 3], timestamp: '1790416832' }]
      const real = bytes(delivery([change(org.phones[0]!, { messages: [message(m)], statuses })]))
      return i % 5 === 0 ? [real, post(org.phones[0]!, message(ghost))] : i % 7 === 0 ? [real, real] : [real]
    }).flat()

  async function outcome(db: Db, org: TestOrg) {
    const messages = await db.$client.query(
      `select m.wamid, m.type, m.status, m.payload::text, k.phone, r.state, r.last_inbound_at
       from messages m left join chatrooms r on r.org_id = m.org_id and r.id = m.chatroom_id
       left join contacts k on k.org_id = r.org_id and k.id = r.contact_id where m.org_id = $1 order by 1`,
      [org.id],
    )
    return messages.rows
  }

  it('and repeated come to the same messages, chatrooms, statuses and times', async () => {
    const { db } = await createTestDatabase()
    const random = seededRandom(SEED)
    const reference = await openOrg(db)
    await deliver(db, ...posts(reference))
    const expected = await outcome(db, reference)
    expect(expected).toHaveLength(MESSAGES + 10)
    const outcomes: unknown[] = []
    for (let i = 0; i < rounds(8); i++) {
      const org = await openOrg(db)
      const mixed = random.shuffled([...posts(org), ...posts(org).slice(0, 40)])
      for (let at = 0; at < mixed.length; ) {
        const size = random.int(1, 60)
        await deliver(db, ...mixed.slice(at, at + size))
        at += size
      }
      outcomes.push(await outcome(db, org))
      expect(outcomes.at(-1)).toEqual(expected)
    }
    const wrong = outcomes.filter((one) => !isDeepStrictEqual(one, expected))
    publishFigure(17, { of: `orders of ${MESSAGES} messages`, n: outcomes.length, seed: SEED, wrong })
  })
})
