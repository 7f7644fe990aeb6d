import { describe, expect, test } from 'vitest'
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
