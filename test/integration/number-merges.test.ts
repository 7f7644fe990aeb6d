import { describe, expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { readOwners } from '../../src/routing/owners.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver, readMessage, readRoom } from '../support/inbox.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { refusalMessageOf, unchanged } from '../support/refusal.ts'
import { ago } from '../support/time.ts'
import { waitingQueries } from '../support/waiting-queries.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const [OLD, NEW] = [0, 1]

/** The file that says that the second number of the org, which has been in use, replaces the first. */
function merge(org: TestOrg) {
  const phones = [{ id: org.phones[NEW], replaces: org.phones[OLD], display_phone_number: '+1' }]
  return provisionOrg(db, { id: org.id, wabas: [{ id: `new-${org.wabaId}`, name: 'New', phones }] })
}

const numbersOf = async (org: TestOrg) =>
  (await db.$client.query('select id, remote_id from waba_phones where org_id = $1', [org.id])).rows

const read = (org: TestOrg, { id }: { id: string }) => readMessage(db, org.id, id)

describe('a number that was provisioned as one of its own before it replaced another one', () => {
  it('brings its held messages to the chatrooms of the other one, and their window', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const [active, deactivated, stranger] = ['15550000001', '15550000002', '15550000003']
    const room = await createRoom(db, org, { customer: `+${active}` })
    const older = await createRoom(db, org, { customer: `+${deactivated}`, deactivatedAt: ago(1) })
    const messages = [active, deactivated, stranger].map((from) => message({ from }))
    for (const m of messages) await deliver(db, post(org.phones[NEW]!, m))
    await merge(org)
    const stored = await Promise.all(messages.map((m) => read(org, m)))
    expect(stored.map(({ chatroom_id }) => chatroom_id)).toEqual([room.id, older.id, null])
    expect(stored.every((m) => m.waba_phone_id === org.phones[OLD] && m.route === 'held')).toBe(true)
    expect(await readRoom(db, org.id, older.id)).toMatchObject({ state: 'deactivated' })
    const { status } = await api.call('POST', `/v1/org/${org.id}/chatroom/${room.id}/messages`, {
      body: { origin: 'AGENT', text: { body: 'we have read it' } },
    })
    expect(status).toBe(202)
  })

  it('brings its chatrooms with their messages, sends and mappings', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed' }, { phones: 2 })
    const [one, two] = ['15550000001', '15550000002']
    const old = await createRoom(db, org, { customer: `+${one}`, deactivatedAt: ago(3) })
    const own = [
      await createRoom(db, org, { customer: `+${one}`, phone: org.phones[NEW]! }),
      await createRoom(db, org, { customer: `+${two}`, phone: org.phones[NEW]!, expiredAt: ago(1) }),
    ]
    const sent = [one, two].map((from) => message({ from }))
    for (const m of sent) await deliver(db, post(org.phones[NEW]!, m))
    await merge(org)
    expect(await numbersOf(org)).toEqual([{ id: org.phones[OLD], remote_id: org.phones[NEW] }])
    for (const table of ['chatrooms', 'messages', 'outbox', 'contact_wabas']) {
      const { rows } = await db.$client.query(
        `select distinct waba_phone_id as id from ${table} where org_id = $1`,
        [org.id],
      )
      expect([table, rows]).toEqual([table, [{ id: org.phones[OLD] }]])
    }
    for (const phone of org.phones) {
      const m = message({ from: one })
      await deliver(db, post(phone, m))
      expect(await read(org, m)).toMatchObject({ route: 'active', chatroom_id: own[0]!.id })
    }
    expect(await readRoom(db, org.id, old.id)).toMatchObject({ state: 'deactivated' })
    expect((await eventsOfOrg(db, org.id, 'number.moved')).map(({ after }) => after.merged)).toEqual([
      { chatrooms: 2, messages: 3 },
    ])
    await unchanged(db, org, () => merge(org))
  })

  it('is refused while a customer has an active chatroom at both, and joins once one is deactivated', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const one = await createRoom(db, org)
    const other = await createRoom(db, org, { phone: org.phones[NEW]! })
    expect(await unchanged(db, org, () => refusalMessageOf(() => merge(org)))).toBe(
      `${org.phones[NEW]} cannot replace ${org.phones[OLD]}: a customer has an active chatroom at both numbers, and one of the two must be deactivated first (chatrooms ${one.id} and ${other.id})`,
    )
    await api.call('PUT', `/v1/org/${org.id}/contacts/chatroom/${other.id}/deactivate`)
    await merge(org)
    const m = message({})
    await deliver(db, post(org.phones[NEW]!, m))
    expect(await read(org, m)).toMatchObject({ route: 'active', chatroom_id: one.id })
  })

  it('is refused when it has more chatrooms and messages than may be rewritten at once', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
       select $1, n::text, $2, 'in', 'text', now(), now(), n, '', '{}' from generate_series(1, 10001) n`,
      [org.id, org.phones[NEW]],
    )
    expect(await unchanged(db, org, () => refusalMessageOf(() => merge(org)))).toBe(
      `${org.phones[NEW]} cannot replace ${org.phones[OLD]}: it has more than 10000 chatrooms and messages of its own`,
    )
    await db.$client.query(`delete from messages where org_id = $1 and wamid = '1'`, [org.id])
    await merge(org)
    expect(await numbersOf(org)).toHaveLength(1)
  })

  it('brings the ids that it had before', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const room = await createRoom(db, org)
    const moved = `${org.phones[NEW]}-moved`
    const file = (id: string, replaces: string) => ({
      id: org.id,
      wabas: [{ id: org.wabaId, name: 'w', phones: [{ id, replaces, display_phone_number: '+1' }] }],
    })
    await provisionOrg(db, file(moved, org.phones[NEW]!))
    await provisionOrg(db, file(moved, org.phones[OLD]!))
    for (const phone of [...org.phones, moved]) {
      const m = message({})
      await deliver(db, post(phone, m))
      expect(await read(org, m)).toMatchObject({ chatroom_id: room.id })
    }
  })
})

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('while a number joins another one', () => {
  it('deliveries that have looked it up are waited for, and later ones find the other number', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' }, { phones: 2 })
    const room = await createRoom(db, org)
    const [looked, go] = [gate(), gate()]
    const early = message({ from: '15550000009' })
    const inFlight = inTransaction(db, async (tx) => {
      await run(tx, readOwners([org.phones[NEW]!], []))
      looked.open()
      await go.opened
      await tx.$client.query(
        `insert into messages (org_id, wamid, waba_phone_id, direction, type, sent_at, received_at, seq, reason, payload)
         values ($1, $2, $3, 'in', 'text', now(), now(), 0, '', '{}')`,
        [org.id, early.id, org.phones[NEW]],
      )
    })
    await looked.opened
    const merging = merge(org)
    await expect.poll(async () => (await waitingQueries(db)).join()).toContain('lock table')
    const late = message({})
    const routing = deliver(db, post(org.phones[NEW]!, late))
    await expect.poll(() => waitingQueries(db)).toHaveLength(2)
    go.open()
    await Promise.all([inFlight, merging, routing])
    expect(await read(org, early)).toMatchObject({ waba_phone_id: org.phones[OLD] })
    expect(await read(org, late)).toMatchObject({ route: 'active', chatroom_id: room.id })
  })

  it('a transaction that reads the numbers for long refuses the file, and routing goes on', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const refusal = await inTransaction(db, async (tx) => {
      await run(tx, readOwners([org.phones[NEW]!], []))
      const refused = refusalMessageOf(() => merge(org))
      await expect.poll(async () => (await waitingQueries(db)).join()).toContain('lock table')
      const routing = deliver(db, post(org.phones[NEW]!, message({})))
      // The connection is kept busy, because it may not idle in its transaction.
      const [text] = await Promise.all([refused, routing, tx.$client.query('select pg_sleep(1)')])
      return text
    })
    expect(refusal).toBe('another transaction uses the table of numbers, a dump for example: try again later')
    expect(await numbersOf(org)).toHaveLength(2)
  })
})
