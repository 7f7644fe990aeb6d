import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { deliver, readMessage } from '../support/inbox.ts'
import { mutatedDeliveries } from '../support/mutated-webhooks.ts'
import { createOrg } from '../support/org.ts'
import { refuseStatement } from '../support/refused-statements.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

/** `FUZZ_RUNS=100000` for a long search by hand. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 150)

const { db } = await createTestDatabase()
const org = await createOrg(db, { auto_reply_text: 'closed' })
const [phone = ''] = org.phones

describe('a delivery with an odd item', () => {
  it('has its good messages routed, whatever is odd beside them', async () => {
    await fc.assert(
      fc.asyncProperty(mutatedDeliveries({ phone, waba: org.wabaId }), async ({ body, good }) => {
        const { outcomes } = await deliver(db, body)
        expect(outcomes).toHaveLength(1)
        const { rows } = await db.$client.query(
          `select wamid, wa_id as "from" from messages where org_id = $1 and wamid = any($2) and route = 'held'`,
          [org.id, good.map(({ wamid }) => wamid)],
        )
        expect(rows).toHaveLength(good.length)
        for (const { wamid, from } of good) expect(rows).toContainEqual({ wamid, from })
      }),
      { numRuns: RUNS },
    )
  })

  it('that no index can hold is a dead letter, and 20 good messages beside it are routed', async () => {
    const good = Array.from({ length: 20 }, () => message({}))
    const wabaId = Array.from({ length: 4_000 }, () => String.fromCharCode(97 + Math.random() * 26)).join('')
    const body = delivery([{ field: 'x', value: {} }, change(phone, { messages: good })], wabaId)
    const { outcomes } = await deliver(db, bytes(body))
    expect(outcomes).toMatchObject([{ end: 'dead', problems: ['x: has an impossible WABA id'] }])
    for (const { id } of good) expect(await readMessage(db, org.id, id)).toMatchObject({ route: 'held' })
  })

  it.each([
    ['read-aliases-at-numbers', 'whose sender cannot be looked up'],
    ['read-own-numbers', 'that cannot be compared with the own numbers'],
    ['lock-names', 'whose names cannot be locked'],
    ['read-aliases', 'whose names cannot be read under the lock'],
    ['read-former-aliases', 'whose former names cannot be read'],
  ])('(%s) %s spoils neither its delivery nor the batch', async (statement) => {
    const strange = `1555${String(Math.random()).slice(2, 9)}`
    const refusals = refuseStatement(statement, strange)
    const beside = Array.from({ length: 4 }, () => message({}))
    const odd = message({ from: strange })
    const elsewhere = message({})
    const mixed = post(phone, ...beside.slice(0, 2), odd, ...beside.slice(2))
    const { outcomes } = await deliver(db, mixed, post(phone, elsewhere))
    expect(refusals()).toBeGreaterThan(1)
    expect(outcomes).toMatchObject([
      { end: 'dead', problems: ['messages[2]: refused by the database (SQLSTATE 22P02)'] },
      { end: 'routed' },
    ])
    for (const { id } of [...beside, elsewhere])
      expect(await readMessage(db, org.id, id)).toMatchObject({ route: 'held' })
    expect(await readMessage(db, org.id, odd.id)).toBeUndefined()
  })

  it('at a number whose owner cannot be looked up spoils nothing beside it', async () => {
    const number = `phone-odd-${Math.random()}`
    refuseStatement('read-owners', number)
    const [good, odd] = [message({}), message({})]
    const changes = [change(number, { messages: [odd] }), change(phone, { messages: [good] })]
    const { outcomes } = await deliver(db, bytes(delivery(changes)))
    expect(outcomes).toMatchObject([
      { end: 'dead', problems: ['messages[0]: refused by the database (SQLSTATE 22P02)'] },
    ])
    expect(await readMessage(db, org.id, good.id)).toMatchObject({ route: 'held' })
  })
})
