import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { mint, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver, store } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

type Line = { kind: string } & Record<string, unknown>
const exportOf = async (org: TestOrg, query: string): Promise<Line[]> =>
  (await api.call('GET', `/v1/org/${org.id}/customer/export?${query}`)).body

/** Messages of a customer that were stored by themselves. */
const insertMessages = (org: TestOrg, room: { id: string; customerId: string }, count: number) =>
  db.$client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at, seq,
       route, reason, payload)
     select $1, 'w' || n, $2, $3, $4, 'in', 'text', now() - n * interval '1 second', now(), n, 'active', 'x',
       json_build_object('text', json_build_object('body', repeat('x', 2000) || n)) from generate_series(1, $5::int) n`,
    [org.id, org.phones[0], room.customerId, room.id, count],
  )

it('an export has a line for everything about the person, ends with a summary, and has nothing of others', async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org)
  await createRoom(db, org, { customer: '+15550002222' })
  const phone = org.phones[0]!
  await deliver(
    db,
    post(phone, message({ userId: 'US.person', body: 'mine' })),
    post(phone, message({ from: '15550002222', body: 'of somebody else' })),
  )
  await api.call('POST', `/v1/org/${org.id}/chatroom/${room.id}/messages`, {
    body: { origin: 'AGENT', text: { body: 'an answer' } },
  })
  await db.$client.query(
    `insert into account_events (org_id, digest, waba_id, field, received_at, payload) values ($1, '\\x01', 'w',
       'smb_app_state_sync', now(), $2)`,
    [
      org.id,
      {
        state_sync: ['15550001111', '15550002222'].map((phone_number) => ({
          type: 'contact',
          contact: { full_name: `of ${phone_number}`, phone_number },
        })),
      },
    ],
  )
  await store(
    db,
    post(phone, message({ body: 'waits' }), message({ from: '15550002222', body: 'waits too' })),
  )

  const lines = await exportOf(org, 'phone=15550001111')
  const of = (kind: string) => lines.filter((line) => line.kind === kind)
  expect(of('customer')).toMatchObject([{ id: room.customerId }])
  expect(of('name').map(({ value }) => value)).toEqual(
    expect.arrayContaining(['+15550001111', '15550001111', 'US.person']),
  )
  expect(of('contact')).toMatchObject([{ id: room.contactId, phone: '+15550001111' }])
  expect(of('chatroom')).toMatchObject([{ id: room.id, assignments: [] }])
  expect(of('message')).toMatchObject([
    { direction: 'in', content: { text: { body: 'mine' } } },
    { direction: 'out', content: { text: { body: 'an answer' } } },
  ])
  expect(of('send')).toMatchObject([{ payload: { text: { body: 'an answer' } } }])
  expect(of('audit').map(({ event }) => event)).toContain('message.queued')
  expect(of('event').map(({ type }) => type)).toContain('message.received')
  expect(of('account_event')).toMatchObject([{ parts: [{ contact: { full_name: 'of 15550001111' } }] }])
  expect(of('delivery')).toMatchObject([
    { state: 'new', parts: [{ text: { body: 'waits' } }, { wa_id: '15550001111' }] },
  ])
  expect(JSON.stringify(lines)).not.toMatch(/15550002222|somebody else|waits too/)

  const counts: Record<string, number> = {}
  for (const { kind } of lines.slice(0, -1)) counts[kind] = (counts[kind] ?? 0) + 1
  expect(lines.at(-1)).toEqual({ kind: 'summary', complete: true, lines: counts })
  expect(await exportOf(org, 'user_id=US.person')).toHaveLength(lines.length)
})

it('an export has the held messages, and the rows of customers who were merged into the person', async () => {
  const org = await createOrg(db)
  await deliver(db, post(org.phones[0]!, message({ from: '15550003333', body: 'held' })))
  const { rows } = await db.$client.query<{ id: string }>('select id from customers where org_id = $1', [
    org.id,
  ])
  const merged = '00000000-0000-7000-8000-000000000001'
  const longAgo = '00000000-0000-7000-8000-000000000002'
  await db.$client.query(
    `insert into customers (org_id, id, profile_name, merged_into) values ($1, $2, 'Former', $3), ($1, $4, 'Oldest', $2)`,
    [org.id, merged, rows[0]!.id, longAgo],
  )
  const lines = await exportOf(org, 'phone=15550003333')
  expect(lines.filter(({ kind }) => kind === 'customer').map(({ id }) => id)).toEqual([
    rows[0]!.id,
    merged,
    longAgo,
  ])
  expect(lines.filter(({ kind }) => kind === 'message')).toMatchObject([
    { route: 'held', content: { text: { body: 'held' } } },
  ])
})

it("an export has each message once, in the order of Meta's times, however many pages there are", async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org)
  await insertMessages(org, room, 1_001)
  const messages = (await exportOf(org, 'phone=15550001111')).filter(({ kind }) => kind === 'message')
  expect(messages.map(({ wamid }) => wamid)).toEqual(Array.from({ length: 1_001 }, (_, i) => `w${1_001 - i}`))
})

it('a client that goes away ends the reading, and one that does not read on makes it wait', async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org)
  await insertMessages(org, room, 10_000)
  const pool = db.$client
  const query = pool.query.bind(pool)
  const read: string[] = []
  pool.query = ((...args: [{ name?: string }]) => {
    if (args[0].name === 'export-room') read.push(args[0].name)
    return query(...(args as unknown as [string]))
  }) as typeof pool.query
  try {
    const authorization = `Bearer ${await mint({ org: org.id })}`
    const asked = get(`${api.url}/v1/org/${org.id}/customer/export?phone=15550001111`, {
      headers: { authorization },
    })
    const [res] = (await once(asked, 'response')) as [IncomingMessage]
    res.pause()
    let before = -1
    await eventually(async () => {
      const isStill = read.length === before && read.length > 0
      before = read.length
      return isStill
    })
    expect(before).toBeLessThan(50)
    res.destroy()
    // Other requests are answered meanwhile, so a reading that went on would have read many pages.
    for (let n = 0; n < 10; n += 1) await api.call('GET', `/v1/org/${org.id}/customer?phone=15550001111`)
    expect(read.length).toBeLessThanOrEqual(before + 1)
  } finally {
    pool.query = query
  }
})

it('an export of nobody is answered 404, and one of another org finds nobody', async () => {
  const [org, other] = [await createOrg(db), await createOrg(db)]
  await createRoom(db, other)
  const nobody = await api.call('GET', `/v1/org/${org.id}/customer/export?phone=15550001111`)
  expect([nobody.status, nobody.body.error_message]).toEqual([404, 'CUSTOMER_NOT_FOUND'])
})

it('an export has nothing that the same person wrote to another org', async () => {
  const [org, other] = [await createOrg(db), await createOrg(db)]
  await createRoom(db, org)
  const waiting = [org, other].map((one) =>
    change(one.phones[0]!, { messages: [message({ body: `to ${one === org ? 'us' : 'others'}` })] }),
  )
  await store(db, bytes(delivery(waiting)))
  const lines = await exportOf(org, 'phone=15550001111')
  expect(JSON.stringify(lines)).toContain('to us')
  expect(JSON.stringify(lines)).not.toContain('to others')
})

it('an export that fails in the middle is cut off, so that nobody takes it for a whole one', async () => {
  const org = await createOrg(db)
  const room = await createRoom(db, org)
  await insertMessages(org, room, 1_000)
  const pool = db.$client
  const query = pool.query.bind(pool)
  let pages = 0
  pool.query = ((...args: [{ name?: string }]) => {
    if (args[0].name === 'export-room') pages += 1
    if (pages > 2) throw new Error('the database is away')
    return query(...(args as unknown as [string]))
  }) as typeof pool.query
  try {
    await expect(api.call('GET', `/v1/org/${org.id}/customer/export?phone=15550001111`)).rejects.toThrow()
  } finally {
    pool.query = query
  }
  expect(api.logged.at(-1)).toMatchObject({ msg: 'an API request failed', operationId: 'exportCustomer' })
})
