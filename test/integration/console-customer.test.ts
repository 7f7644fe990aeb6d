import { describe, expect, test } from 'vitest'
import { inTransaction } from '../../src/db/transaction.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver } from '../support/inbox.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createOrgs, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const url = await startOps(db)
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}/

const page = async (query: Record<string, string>, from = url) => {
  const { status, body } = await loggedIn(`${from}/console/customer?${new URLSearchParams(query)}`)
  expect(status).toBe(200)
  return body
}
/** The text of a page, without its markup. */
const textOf = (body: string) => body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')

const change = (path: string, form: Record<string, string>, headers = {}, from = url) =>
  loggedIn(`${from}/console/customer/rooms/${path}`, {
    method: 'POST',
    body: new URLSearchParams(form).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })

const nameContact = (contactId: string, first: string) =>
  db.$client.query(`update contacts set first_name = $2, crm_id = $2 || '-1' where id = $1`, [
    contactId,
    first,
  ])

const stateOf = async (id: string) => {
  const { rows } = await db.$client.query(
    `select state, pending_user_id as next, array(select user_id from chatroom_members m
      where m.org_id = r.org_id and m.chatroom_id = r.id) as users from chatrooms r where id = $1`,
    [id],
  )
  return rows[0]
}

describe('the search for a customer', () => {
  test('tells several matches apart by name, phones and last message, the latest first', async () => {
    const [one, two] = await createOrgs(db, 2)
    const write = async (org: TestOrg, name: string, at: Date) => {
      const room = await createRoom(db, org, { customer: '+13125550001' })
      await nameContact(room.contactId, name)
      await deliver(db, post(org.phones[0]!, message({ from: '13125550001', type: 'image', at })))
      await db.$client.query('update customers set profile_name = null where id = $1', [room.customerId])
    }
    await write(one!, 'Anna', ago(2))
    await write(two!, 'Berta', ago(1))
    const text = textOf(await page({ q: '+13125550001' }))
    expect(text).toMatch(/2 customers match .*Berta .*\+1 312 555 0001 .*Customer wrote: image .*Anna /)
    expect(text).not.toMatch(UUID)
  })

  test('offers phones and crm_ids that begin with what was typed, of the chosen org only', async () => {
    const [mine, other] = await createOrgs(db, 2)
    const { contactId } = await createRoom(db, mine!, { customer: '+4915112345678' })
    await nameContact(contactId, 'Zacharias')
    await createRoom(db, other!, { customer: '+4915112345679' })
    const suggest = async (q: string, org = mine!.id) => {
      const parameters = new URLSearchParams({ q, org })
      return (await loggedIn(`${url}/console/customer/suggest?${parameters}`)).body
    }
    for (const q of ['+49 151', '0049151', '4915112345678', 'Zach'])
      expect([q, await suggest(q)]).toEqual([q, expect.stringContaining(`Zacharias · ${mine!.id}`)])
    expect(await suggest('+49151')).not.toContain('+4915112345679')
    expect(await suggest('+49151', '')).toContain('+4915112345679')
    for (const q of ['', '49', 'nobody', '%']) expect(await suggest(q)).toBe('')
  })
})

describe('the timeline of a customer', () => {
  test('shows messages or changes only, or those of one chatroom', async () => {
    const org = await createOrg(db, {}, { phones: 2 })
    const wamids = ['', '']
    const rooms = ['', '']
    for (const [i, phone] of org.phones.entries()) {
      rooms[i] = (await createRoom(db, org, { customer: '+13125550003', phone, deactivatedAt: ago(1) })).id
      const written = message({ from: '13125550003' })
      await deliver(db, post(phone, written))
      wamids[i] = written.id
    }
    const timeline = async (query: Record<string, string>) => {
      const body = await page({ q: '+13125550003', org: org.id, ...query })
      return textOf(body.slice(body.indexOf('class="timeline"'), body.indexOf('id="contacts"')))
    }
    const [first, second] = wamids
    expect(await timeline({})).toMatch(
      new RegExp(`Customer wrote .*${second}.*Customer wrote .*${first}`, 's'),
    )
    expect(await timeline({ show: 'messages' })).not.toContain('Chatroom reactivated')
    expect(await timeline({ show: 'changes' })).not.toContain('Customer wrote')
    const one = await timeline({ room: rooms[0]! })
    expect([one.includes(first!), one.includes(second!)]).toEqual([true, false])
    expect(one).toContain('Chatroom reactivated')
  })
})

/** The values in the markup of all pages that the link of this name leads to, page by page. */
async function walk(query: Record<string, string>, link: string, key: RegExp): Promise<string[][]> {
  const found: string[][] = []
  for (let path: string | undefined = `/console/customer?${new URLSearchParams(query)}`; path; ) {
    const { status, body } = await loggedIn(url + path)
    expect([path, status]).toEqual([path, 200])
    found.push([...body.matchAll(key)].map(([, value = '']) => value))
    path = new RegExp(`<a href="([^"#]+)[^"]*">${link}</a>`).exec(body)?.[1]?.replaceAll('&amp;', '&')
  }
  return found
}

/** A customer with so many chatrooms, all but the first of them ended, and messages, in turns. */
async function createBusyCustomer(rooms: number, messages: number) {
  const org = await createOrg(db)
  const { customerId, wabaPhoneId } = await createRoom(db, org, { customer: '+13125550009' })
  await inTransaction(db, async (tx) => {
    await tx.$client.query('set local session_replication_role = replica')
    await tx.$client.query(
      `with c as (
         insert into contacts (org_id, id, customer_id, crm_id)
         select $1, gen_random_uuid(), $2, 'busy-' || n from generate_series(1, $4::int) n returning id, crm_id)
       insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, created_at, deactivated_at)
       select $1, id, id, $2, $3, 'x', now() - interval '30 days' - split_part(crm_id, '-', 2)::int / 4 * interval '1 second',
         now() from c`,
      [org.id, customerId, wabaPhoneId, rooms - 1],
    )
    await tx.$client.query(
      `with r as (select id, row_number() over (order by id) - 1 as place from chatrooms where org_id = $1)
       insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
         seq, route, reason, payload)
       select $1, 'busy-' || n, $3, $2, r.id, 'in', 'text', now() - n / 4 * interval '1 second', now(), -n, 'active', 'why',
         json_build_object('type', 'text', 'text', json_build_object('body', repeat('"long" ', 600)))
       from generate_series(1, $5::int) n join r on r.place = n % $4::int`,
      [org.id, customerId, wabaPhoneId, rooms, messages],
    )
  })
  await db.$client.query('analyze messages, chatrooms, contacts')
  return { org, customerId, query: { org: org.id, id: customerId } }
}

const WAMID = /id="(busy-\d+)"/g
const ENTRY = /<li class="(?:event|message)/g

describe('the page of a customer with very many chatrooms', () => {
  test('has each chatroom and each entry of the timeline on one page, in order', async () => {
    const { query } = await createBusyCustomer(40, 100)
    const rooms = await walk(query, 'More chatrooms', /<tr id="room-([^"]+)"/g)
    expect(rooms.map((page) => page.length)).toEqual([15, 15, 10])
    expect(new Set(rooms.flat()).size).toBe(40)
    const wamids = Array.from({ length: 100 }, (_, i) => `busy-${i + 1}`)
    expect((await walk(query, 'Older entries', WAMID)).flat()).toEqual(wamids)
    const entries = await walk(query, 'Older entries', ENTRY)
    expect(entries.flat()).toHaveLength(140)
    expect(entries.slice(0, -1).every((page) => page.length === 30)).toBe(true)
    expect((await walk({ ...query, show: 'messages' }, 'Older entries', WAMID)).flat()).toEqual(wamids)
    expect((await walk({ ...query, show: 'changes' }, 'Older entries', ENTRY)).flat()).toHaveLength(40)
    const one = rooms[1]![0]!
    const ofOne = await walk({ ...query, room: one }, 'Older entries', WAMID)
    expect([2, 3]).toContain(ofOne.flat().length)
  })

  test('stays below 100 kB, with texts too, and says how many there are', async () => {
    const { query } = await createBusyCustomer(2_000, 10_000)
    const times: number[] = []
    for (const more of [{}, { text: 'show' }, { text: 'show', show: 'messages' }]) {
      const begin = performance.now()
      const body = await page({ ...query, ...more })
      times.push(Math.round(performance.now() - begin))
      expect([more, Buffer.byteLength(body) <= 100_000, Buffer.byteLength(body)]).toEqual([
        more,
        true,
        expect.any(Number),
      ])
      expect(textOf(body)).toContain('Chatrooms 2,000')
      expect(textOf(body)).toContain('These are the first 25 of 2,000 contacts')
    }
    process.stdout.write(`a page of 2,000 chatrooms took ${times.join(', ')} ms\n`)
  })

  test('refuses an address that is no place in a list', async () => {
    for (const query of ['before=x', 'rooms=x', 'before=WyJhIl0'])
      expect([query, (await loggedIn(`${url}/console/customer?${query}`)).status]).toEqual([query, 422])
  })
})

describe('the buttons of a chatroom', () => {
  test('deactivate, activate and reassign it; the audit names who asked, and the answer leads back', async () => {
    const org = await createOrg(db)
    const { id, customerId } = await createRoom(db, org)
    const path = `${org.id}/${id}`
    const form = { customer: customerId }
    const home = `/console/customer?org=${org.id}&id=${customerId}#rooms`
    for (const [name, fields, after] of [
      ['deactivate', {}, { state: 'deactivated', users: [] }],
      ['activate', {}, { state: 'active', users: [] }],
      ['reassign', { user: 'ann' }, { users: ['ann'], next: null }],
      ['reassign', { user: 'bob', later: 'true' }, { users: ['ann'], next: 'bob' }],
    ] as const) {
      expect(await page({ org: org.id, id: customerId })).toContain(`/rooms/${path}/${name}"`)
      const { status, headers } = await change(`${path}/${name}`, { ...form, ...fields })
      expect([name, status, headers.location]).toEqual([name, 303, home])
      expect(await stateOf(id)).toMatchObject(after)
    }
    const kinds = ['chatroom.deactivated', 'chatroom.activated', 'chatroom.assigned', 'chatroom.handover_set']
    for (const kind of kinds)
      expect(await eventsOfOrg(db, org.id, kind)).toMatchObject([{ actor: 'ops:ops' }])
  })

  test('activate it beside an active one only if that one may be deactivated', async () => {
    const org = await createOrg(db)
    const active = await createRoom(db, org)
    const { id, customerId } = await createRoom(db, org, { deactivatedAt: ago(1) })
    const path = `${org.id}/${id}/activate`
    expect((await change(path, { customer: customerId })).status).toBe(400)
    expect((await change(path, { customer: customerId, force: 'true' })).status).toBe(303)
    expect([await stateOf(active.id), await stateOf(id)]).toMatchObject([
      { state: 'deactivated' },
      { state: 'active' },
    ])
  })

  test('are not there and change nothing if it is read-only, for another site, and in another org', async () => {
    const [org, other] = await createOrgs(db, 2)
    const { id, customerId } = await createRoom(db, org!)
    const form = { customer: customerId }
    const readOnly = await startOps(db, { readOnly: true })
    expect(await page({ org: org!.id, id: customerId }, readOnly)).not.toContain('method="post"')
    const path = `${org!.id}/${id}/deactivate`
    expect((await change(path, form, {}, readOnly)).status).toBe(403)
    expect((await change(path, form, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await change(`${other!.id}/${id}/deactivate`, form)).status).toBe(400)
    expect((await change(`${org!.id}/x/deactivate`, form)).status).toBe(404)
    expect((await change(path, {})).status).toBe(422)
    expect((await change(`${org!.id}/${id}/reassign`, { ...form, user: 'nobody' })).status).toBe(404)
    expect(await stateOf(id)).toMatchObject({ state: 'active', users: [] })
  })
})
