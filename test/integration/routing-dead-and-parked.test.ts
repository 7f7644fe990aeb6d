import { describe, expect, it } from 'vitest'
import { provision } from '../../src/orgs/provision.ts'
import { parseProvisionFile } from '../../src/orgs/provision-file.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, inboxStates, readMessage, store } from '../support/inbox.ts'
import { createOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

describe('a delivery for a number that is not provisioned', () => {
  it('is parked, and routed once the number is provisioned', async () => {
    const n = newWamid()
    const [phone, m] = [`late-${n}`, message({})]
    const ids = await store(db, post(phone, m))
    await routeDeliveries(db, ids, () => {})
    expect(await inboxStates(db, ids)).toEqual(['parked'])
    const org = {
      id: `late-${n}`,
      name: 'Late',
      wabas: [{ id: `w-${n}`, name: 'w', phones: [{ id: phone, display_phone_number: '1' }] }],
    }
    const file = parseProvisionFile(JSON.stringify({ orgs: [org] }))
    expect((await provision(db, file, undefined)).unparked).toBe(1)
    await routeDeliveries(db, ids, () => {})
    expect(await inboxStates(db, ids)).toEqual([])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })

  it('has its messages for other, known numbers routed', async () => {
    const org = await createOrg(db)
    const [m, other] = [message({}), message({})]
    const body = bytes(
      delivery([
        change(org.phones[0]!, { messages: [m] }),
        change(`nobody-${org.id}`, { messages: [other] }),
      ]),
    )
    const { outcomes } = await deliver(db, body)
    expect(outcomes).toMatchObject([{ end: 'parked', waitsFor: `phone:nobody-${org.id}` }])
    expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })
})

describe('a delivery that cannot be read or stored', () => {
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)

  it.each([
    ['not JSON', Buffer.from('{"object":')],
    ['not an object', Buffer.from('[1,2]')],
    ['empty', Buffer.alloc(0)],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ['100,000 levels deep', Buffer.from(deep(100_000))],
    ['of another object', bytes({ object: 'page', entry: [] })],
    ['without a list of entries', bytes({ object: 'whatsapp_business_account', entry: {} })],
  ])('becomes a dead letter with its exact bytes if its body is %s', async (_, body) => {
    const ids = await store(db, body)
    const { outcomes } = await routeDeliveries(db, ids, () => {})
    expect(outcomes).toMatchObject([{ end: 'dead' }])
    const { rows } = await db.$client.query('select body, error from inbox where id = $1', [ids[0]])
    expect(rows[0].body).toEqual(body)
    expect(rows[0].error).not.toBe('')
  })

  it('has its readable messages routed, and becomes a dead letter with one problem for each unreadable message', async () => {
    const org = await createOrg(db)
    const [a, b] = [message({}), message({})]
    const noSender = { id: newWamid(), type: 'text', text: { body: 'x' } }
    const nested = `{"id":"${newWamid()}","from":"1","type":"text","text":${deep(5_000)}}`
    const body = bytes(
      delivery([
        change(org.phones[0]!, { messages: [a, { ...message({}), id: undefined }, 7, noSender, 'DEEP', b] }),
      ]),
    )
    const { outcomes } = await deliver(db, Buffer.from(body.toString().replace('"DEEP"', nested)))
    expect(outcomes).toMatchObject([
      {
        end: 'dead',
        problems: [
          'messages[1]: has no id',
          'messages[2]: is not an object',
          'messages[3]: names no sender',
          'messages[4]: is nested deeper than 64',
        ],
      },
    ])
    for (const m of [a, b]) expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
  })

  it('is routed with U+0000, unpaired surrogates and a key `__proto__` in a message, which are stored as they are', async () => {
    const org = await createOrg(db)
    const m = message({ body: 'a\u0000b\ud800c' })
    const text = post(org.phones[0]!, m)
      .toString()
      .replace('"type":"text"', '"__proto__":{"x":1},"type":"text"')
    await deliver(db, Buffer.from(text))
    const { rows } = await db.$client.query('select payload::text from messages where wamid = $1', [m.id])
    expect(rows[0].payload).toContain('a\\u0000b\\ud800c')
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  it('becomes a dead letter for an item that the database refuses, and all other items of it and its batch are routed', async () => {
    const org = await createOrg(db)
    await db.$client.query(
      `alter table messages add constraint no_poison check (payload::text not like '%POISON%') not valid`,
    )
    const [a, poison, b, c] = [message({}), message({ body: 'POISON' }), message({}), message({})]
    const errors: unknown[] = []
    const ids = await store(db, post(org.phones[0]!, a, poison, b), post(org.phones[0]!, c))
    const { outcomes } = await routeDeliveries(db, ids, (e) => errors.push(e))
    await db.$client.query('alter table messages drop constraint no_poison')
    expect(outcomes).toMatchObject([
      { end: 'dead', problems: ['messages[1]: refused by the database (SQLSTATE 23514)'] },
      { end: 'routed' },
    ])
    expect(errors).toHaveLength(1)
    for (const m of [a, b, c]) expect(await readMessage(db, org.id, m.id)).toMatchObject({ route: 'held' })
    expect(await readMessage(db, org.id, poison.id)).toBeUndefined()
  })
})
