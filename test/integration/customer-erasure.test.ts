import type { Pool } from 'pg'
import { describe, expect, it } from 'vitest'
import { goOnWithErasures } from '../../src/personal-data/work-on-erasure.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { dumpDatabase, linesWith } from '../support/dump.ts'
import { store } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const KEY = Buffer.from(SECRETS_KEY, 'base64')
const { db } = await createTestDatabase()
const api = await startTestApi(db, { secretsKey: KEY })

/** A Brazilian phone: the CRM writes it with the ninth digit, WhatsApp without. */
const PHONE = '+5511987654321'
const WA_ID = '551187654321'
const OTHER = '15550002222'
const BSUID = 'BR.22840198876'
/** Whatever names the person, or is content of theirs. */
const TRACES = [
  ...['5511987654321', WA_ID, '11 98765-4321', BSUID, 'Zuleika', 'Quartzfield', 'Zulu', 'crm-7788'],
  ...['my secret', 'agent answers', 'media-991', 'wamid.of-person', 'very interested', 'ref-4711'],
]

const deliver = async (...bodies: Buffer[]) => routeDeliveries(db, await store(db, ...bodies), () => {}, KEY)
const query = (text: string, values: unknown[] = []) => db.$client.query(text, values)
const ok = async (method: string, path: string, body?: unknown, headers = {}) => {
  const reply = await api.call(method, path, { body, headers })
  expect([method, path, reply.status < 300, reply.status < 300 || reply.body]).toEqual([
    method,
    path,
    true,
    true,
  ])
  return reply.body
}
const statusOf = async (method: string, path: string) => (await api.call(method, path)).status

const mine = (body: string, more: Parameters<typeof message>[0] = {}) =>
  message({ from: WA_ID, userId: BSUID, body, id: `wamid.of-person-${newWamid()}`, ...more })
const contacts = [
  { profile: { name: 'Zulu Quartz' }, wa_id: WA_ID, user_id: BSUID },
  { profile: { name: 'Somebody else' }, wa_id: OTHER },
]
const both = (phone: string, word: string) =>
  change(phone, {
    contacts,
    messages: [mine(`my secret ${word}`), message({ from: OTHER, body: `their ${word}` })],
  })

/** A person about whom each table has something, and another one beside. */
async function fill(org: TestOrg) {
  const phone = org.phones[0]!
  const v1 = `/v1/org/${org.id}`
  const { id: lead } = await ok('POST', `/v2/org/${org.id}/contact`, {
    ...{
      crm_id: 'crm-7788',
      first_name: 'Zuleika',
      last_name: 'Quartzfield',
      opt_in_date: '2026-11-21T10:00:00Z',
    },
    phone_number: { rawInput: PHONE },
  })
  const { chatroom_id: room } = await ok('POST', `/v3/org/${org.id}/lead/chatroom`, {
    lead_id: lead,
    assign_details: { assign_mode: 'USER', user_email: `ann@${org.id}.test` },
  })
  await query(`update chatrooms set external_ref_id = 'ref-4711' where org_id = $1`, [org.id])
  await createRoom(db, org, { customer: `+${OTHER}` })
  const image = { image: { id: 'media-991', caption: 'my secret picture' } }
  const bodies = [
    bytes(delivery([both(phone, 'text')], org.wabaId)),
    bytes(
      delivery([
        change(phone, {
          contacts: contacts.slice(0, 1),
          messages: [mine('', { type: 'image', extra: image })],
        }),
      ]),
    ),
  ]
  await deliver(...bodies)
  await ok('PUT', `/v2/orgs/${org.id}/contact/${lead}/disposition`, {
    stage: 'won',
    disposition: 'very interested',
  })
  const sent = await ok(
    'POST',
    `${v1}/chatroom/${room}/messages`,
    { origin: 'AGENT', text: { body: 'agent answers' } },
    { 'idempotency-key': `answer-to-crm-7788-${org.id}` },
  )
  await query(`update outbox set state = 'sent', wamid = 'wamid.of-person-sent' where org_id = $1`, [org.id])
  await query(
    `update messages set wamid = 'wamid.of-person-sent', outbox_id = $2 where org_id = $1 and wamid = $3`,
    [org.id, sent.id, sent.wamid],
  )
  await ok('PUT', `${v1}/contacts/chatroom/${room}/deactivate`)
  const { rows } = await query(
    `select seq, position, at, type from event_log where org_id = $1 and customer_id = (
       select customer_id from contacts where org_id = $1 and id = $2)`,
    [org.id, lead],
  )
  expect(rows.length).toBeGreaterThan(3)
  const { id: endpoint } = await ok('POST', `${v1}/webhook-endpoints`, { url: 'https://crm.invalid/' })
  await query(
    `insert into webhook_attempts (org_id, endpoint_id, event_id, type, at, outcome, duration_ms, answer)
     select $1, $2, e, 'x', now(), 'rejected', 1, a from unnest($3::text[], $4::text[]) as v(e, a)`,
    [org.id, endpoint, [`evt_${rows[0].seq}`, 'evt_0'], ['thanks', `who is ${WA_ID}?`]],
  )
  await query(
    `insert into webhook_skips (org_id, endpoint_id, seq, position, at, type, reason) values ($1, $2, $3, $4, $5, $6, $7)`,
    [org.id, endpoint, rows[0].seq, rows[0].position, rows[0].at, rows[0].type, 'my secret'],
  )
  await query(
    `insert into early_statuses (org_id, wamid, status) values ($1, 'wamid.of-person-sent', 'read')`,
    [org.id],
  )
  await query(
    `insert into bulk_runs (id, kind, org_id, filter, actor, runner, place, ended_at, outcome)
     values (gen_random_uuid(), 'retry', $1, '{}', 'ops', gen_random_uuid(), '[1, "wamid.of-person-sent"]', now(), 'finished')`,
    [org.id],
  )
  await query(
    `insert into last_calls (org_id, customer_id, waba_phone_id, called_at)
     select $1, customer_id, $2, now() from contacts where org_id = $1 and id = $3`,
    [org.id, phone, lead],
  )
  const sync = [WA_ID, OTHER].map((phone_number) => ({
    ...{ type: 'contact', action: 'add' },
    contact: { full_name: phone_number === OTHER ? 'Somebody else' : 'Zuleika Quartz', phone_number },
  }))
  await query(
    `insert into account_events (org_id, digest, waba_id, field, received_at, payload)
     select $1, d, 'w', 'smb_app_state_sync', now(), p::json
     from unnest(array['\\x01'::bytea, '\\x02'], $2::text[]) as v(d, p)`,
    [org.id, [{ state_sync: sync }, { state_sync: sync.slice(0, 1) }].map((one) => JSON.stringify(one))],
  )
  const kept = [
    ...[both(phone, 'dead'), change(phone, { contacts, messages: [mine('my secret dead too')] })],
    both(phone, 'parked'),
    both(phone, 'waiting'),
  ].map((one) => bytes(delivery([one], org.wabaId)))
  const ids = await store(db, ...kept)
  await query(`update inbox set state = 'dead', error = 'messages[0]: x' where id = any($1)`, [
    ids.slice(0, 2),
  ])
  await query(`update inbox set state = 'parked', parked_for = 'phone:x' where id = $1`, [ids[2]])
  return { lead, room, bodies, kept: ids }
}

const path = (org: TestOrg, name = `phone=${encodeURIComponent(PHONE)}`) =>
  `/v1/org/${org.id}/customer?${name}`
async function erase(org: TestOrg, name?: string) {
  const begun = await ok('DELETE', path(org, name))
  await goOnWithErasures(db, KEY)
  return ok('GET', `/v1/org/${org.id}/customer/erasures/${begun.id}`)
}

describe('a person who is erased', () => {
  it('leaves no trace in the whole database, and others lose nothing', async () => {
    const org = await createSendingOrg(db)
    const { lead, room, kept } = await fill(org)
    const before = await dumpDatabase(db)
    for (const trace of ['answer-to-crm-7788', `who is ${WA_ID}?`])
      expect(linesWith(before, [trace])).toHaveLength(1)
    for (const trace of TRACES.filter((one) => one !== '11 98765-4321'))
      expect(linesWith(before, [trace])).not.toEqual([])
    const ofOther = linesWith(before, [OTHER]).length

    const done = await erase(org)
    expect(done).toMatchObject({ state: 'finished', messages: 3 })
    const after = await dumpDatabase(db)
    expect(linesWith(after, TRACES)).toEqual([])
    // One dead letter had only the contact of the other person besides, and no message.
    expect(linesWith(after, [OTHER])).toHaveLength(ofOther - 1)
    for (const word of ['text', 'dead', 'parked', 'waiting'])
      expect(linesWith(after, [`their ${word}`]), word).toHaveLength(1)
    const { rows } = await query('select id, state from inbox where id = any($1) order by id', [kept])
    expect(rows.map(({ state }) => state)).toEqual(['dead', 'parked', 'new'])
    const chatroom = await ok('GET', `/v1/org/${org.id}/chatroom/${room}`)
    expect(chatroom).toMatchObject({ state: 'expired', display_name: 'erased' })
    const { rows: contact } = await query(
      'select crm_id, phone from contacts where org_id = $1 and id = $2',
      [org.id, lead],
    )
    expect(contact).toEqual([{ crm_id: `erased-${lead}`, phone: null }])
    const { rows: audit } = await query(
      `select actor from events where org_id = $1 and kind = 'customer.erased'`,
      [org.id],
    )
    expect(audit).toEqual([{ actor: 'user:ann' }])
  })

  it('is not found from the answer 202 on, while the rest is still to be done', async () => {
    const org = await createSendingOrg(db)
    const { room } = await fill(org)
    await ok('DELETE', path(org, `user_id=${BSUID}`))
    const v1 = `/v1/org/${org.id}`
    for (const name of [`phone=${encodeURIComponent(PHONE)}`, `phone=${WA_ID}`, `user_id=${BSUID}`]) {
      expect(await statusOf('GET', path(org, name))).toBe(404)
      expect(await statusOf('GET', `${v1}/customer/export?${name}`)).toBe(404)
    }
    expect(await ok('GET', `/v2/org/${org.id}/contact/pn/${PHONE}`)).toEqual([])
    expect((await ok('GET', `${v1}/chatroom/${room}/messages`)).messages).toEqual([])
    expect((await ok('GET', `${v1}/messages/held`)).messages).toEqual([])
    const route = await ok('GET', `${v1}/route?phone=${WA_ID}&remote_phone_id=${org.phones[0]}`)
    expect(route).toMatchObject({ decision: 'held', candidates: [] })
    await goOnWithErasures(db, KEY)
  })

  it('does not come back when Meta delivers the messages again, or for the first time', async () => {
    const org = await createSendingOrg(db)
    const { bodies } = await fill(org)
    await erase(org)
    const customers = async () =>
      (await query('select id from customers where org_id = $1 and erased_at is null', [org.id])).rows.length
    const before = await customers()
    await deliver(...bodies)
    const before10s = new Date(Date.now() - 10_000)
    await deliver(post(org.phones[0]!, mine('my secret that was late', { at: before10s })))
    expect(linesWith(await dumpDatabase(db), TRACES)).toEqual([])
    expect(await customers()).toBe(before)
  })

  it('is a new customer when they write again', async () => {
    const org = await createSendingOrg(db)
    const { lead } = await fill(org)
    await erase(org)
    const again = new Date(Date.now() + 1_000)
    await deliver(post(org.phones[0]!, message({ from: WA_ID, body: 'hello again', at: again })))
    const customer = await ok('GET', path(org, `phone=${WA_ID}`))
    const { rows } = await query('select customer_id from contacts where org_id = $1 and id = $2', [
      org.id,
      lead,
    ])
    expect(customer.customer_id).not.toBe(rows[0].customer_id)
    expect(customer.contacts).toEqual([])
    await erase(org, `phone=${WA_ID}`)
    expect(await statusOf('GET', path(org, `phone=${WA_ID}`))).toBe(404)
  })

  it('stays a customer of other orgs', async () => {
    const [org, other] = [await createSendingOrg(db), await createSendingOrg(db)]
    await fill(org)
    await createRoom(db, other, { customer: PHONE })
    const waiting = [org, other].map((one) => change(one.phones[0]!, { contacts, messages: [mine('x')] }))
    const [id] = await store(db, bytes(delivery(waiting, 'waba of nobody')))
    await query(`update inbox set state = 'dead', error = 'x' where id = $1`, [id])
    await erase(org)
    expect((await ok('GET', path(other))).contacts).toHaveLength(1)
    const { rows } = await query('select body from inbox where id = $1', [id])
    const { entry } = JSON.parse(rows[0].body.toString())
    expect(entry[0].changes).toEqual(waiting.slice(1))
    await query('delete from inbox where id = $1', [id])
    await erase(other)
  })

  it('leaves nothing of messages that are routed at the same moment', async () => {
    const org = await createSendingOrg(db, { unknown_sender: 'create' })
    const at = new Date(Date.now() - 10_000)
    const one = () => deliver(post(org.phones[0]!, mine('my secret rush', { at })))
    await one()
    const rush = Array.from({ length: 30 }, one)
    const begun = await ok('DELETE', path(org, `phone=${WA_ID}`))
    const ends = await Promise.allSettled(rush)
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    const { rows } = await query(`select id from inbox where state = 'new'`)
    await routeDeliveries(
      db,
      rows.map(({ id }) => Number(id)),
      () => {},
      KEY,
    )
    await goOnWithErasures(db, KEY)
    expect((await ok('GET', `/v1/org/${org.id}/customer/erasures/${begun.id}`)).state).toBe('finished')
    expect(linesWith(await dumpDatabase(db), TRACES)).toEqual([])
  })
})

describe('an erasure', () => {
  it('is one, however often it is asked for, and is known to its org only', async () => {
    const [org, other] = [await createSendingOrg(db), await createSendingOrg(db)]
    await fill(org)
    const first = await ok('DELETE', path(org))
    expect((await ok('DELETE', path(org))).id).toBe(first.id)
    expect(await statusOf('GET', `/v1/org/${other.id}/customer/erasures/${first.id}`)).toBe(404)
    await goOnWithErasures(db, KEY)
    expect(await statusOf('DELETE', path(org))).toBe(404)
    expect(await statusOf('DELETE', path(other))).toBe(404)
  })

  it('waits for a message that is being sent, and for a delivery that is being routed', async () => {
    const org = await createSendingOrg(db)
    const { kept } = await fill(org)
    await query(`update outbox set state = 'sending' where org_id = $1`, [org.id])
    const begun = await ok('DELETE', path(org))
    const stateOf = async () => (await ok('GET', `/v1/org/${org.id}/customer/erasures/${begun.id}`)).state
    const worker = await (db.$client as Pool).connect()
    try {
      await worker.query('begin')
      await worker.query('select from inbox where id = $1 for update', [kept[3]])
      await goOnWithErasures(db, KEY)
      expect(await stateOf()).toBe('running')
    } finally {
      await worker.query('rollback')
      worker.release()
    }
    await goOnWithErasures(db, KEY)
    expect(await stateOf()).toBe('running')
    await query(`update outbox set state = 'sent', wamid = 'wamid.of-person-late' where org_id = $1`, [
      org.id,
    ])
    await goOnWithErasures(db, KEY)
    expect(await stateOf()).toBe('finished')
    expect(linesWith(await dumpDatabase(db), TRACES)).toEqual([])
  })

  it('needs SECRETS_KEY, without which nothing would recognise what is delivered again', async () => {
    const org = await createSendingOrg(db)
    await createRoom(db, org)
    const bare = await startTestApi(db, { secretsKey: undefined })
    const { status, body } = await bare.call('DELETE', path(org, 'phone=15550001111'))
    expect([status, body.error_message]).toEqual([503, 'SECRETS_KEY_MISSING'])
  })

  it('has tombstones for 30 days', async () => {
    const org = await createSendingOrg(db)
    await createRoom(db, org)
    await erase(org, 'phone=15550001111')
    const count = async () => (await query('select from tombstones where org_id = $1', [org.id])).rowCount
    expect(await count()).toBeGreaterThan(0)
    for (const table of ['tombstones', 'orgs'])
      await query(
        `update ${table} set erased_at = erased_at - interval '30 days' where erased_at is not null`,
      )
    await goOnWithErasures(db, KEY)
    expect(await count()).toBe(0)
  })
})
