import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, contactsOf, DISPLAY, startAcmes, textOf } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { eventsOf } from '../support/events.ts'
import { readMessage } from '../support/inbox.ts'
import { provisionOrg } from '../support/org.ts'
import { bytes, delivery } from '../support/webhooks.ts'

const ANA = '15550002222'
const CLEO = '15550004444'

describe.each(engines())('an installation that changes, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
  })

  /** A chatroom of Asha, made by the API. */
  async function roomOfAsha(acme: Acme, customer: string): Promise<{ id: string }> {
    const contact = await acme.room(customer)
    const assign_details = { assign_mode: 'USER', user_id: 'asha' }
    const path = `/v3/org/${acme.org.id}/lead/chatroom/${contact.id}/reassign`
    expect((await acme.request('POST', path, {}, { assign_details })).status).toBeLessThan(300)
    return contact
  }

  const postTo = (acme: Acme, phone: string, waba: string, value: object) => {
    const metadata = { display_phone_number: '919810000000', phone_number_id: phone }
    const change = { field: 'messages', value: { messaging_product: 'whatsapp', metadata, ...value } }
    return acmes.app.post(bytes(delivery([change], waba))).then((status) => {
      expect([acme.org.id, status]).toEqual([acme.org.id, 200])
    })
  }

  it('a number that migrates twice keeps chatrooms and history, and late statuses of its first id count', async () => {
    const acme = await acmes.create()
    const room = await acme.room(ANA)
    const [old = ''] = acme.org.phones
    const [second, third] = [`${acme.org.id}-1009`, `${acme.org.id}-1010`]
    const before = textOf(ANA, { age: 60 })
    await acme.deliver('messages', { contacts: contactsOf(ANA), messages: [before] })
    const send = async () => {
      const answer = { origin: 'AGENT', text: { body: 'we are here' } }
      const { status, body } = await acme.call('POST', `/chatroom/${room.id}/messages`, {}, answer)
      expect(status).toBe(202)
      const wamid = async () => {
        const { rows } = await acmes.app.db.$client.query(
          'select o.wamid from outbox o where o.org_id = $1 and o.id::text = $2',
          [acme.org.id, body.wamid.replace('outbox:', '')],
        )
        return rows[0]?.wamid ?? null
      }
      await expect.poll(wamid).not.toBeNull()
      return String(await wamid())
    }
    const oldSend = await send()
    const m = textOf(ANA, { age: 20 })
    await postTo(acme, third, `${acme.org.id}-5009`, { contacts: contactsOf(ANA), messages: [m] })
    await acmes.app.drained()
    expect(await readMessage(acmes.app.db, acme.org.id, m.id)).toBeUndefined()
    for (const [id, replaces] of [
      [second, old],
      [third, second],
    ]) {
      const phones = [{ id, replaces, display_phone_number: DISPLAY[0] }]
      const wabas = [{ id: `${acme.org.id}-5009`, name: 'Moved', access_token: 'EAA-moved', phones }]
      await provisionOrg(acmes.app.db, { id: acme.org.id, wabas })
    }
    await expect
      .poll(() => readMessage(acmes.app.db, acme.org.id, m.id))
      .toMatchObject({ route: 'active', chatroom_id: room.id })
    const statuses = [{ id: oldSend, status: 'read', timestamp: String(Math.floor(Date.now() / 1000)) }]
    await postTo(acme, old, acme.org.wabaId, {
      statuses: statuses.map((s) => ({ ...s, recipient_id: Number(ANA) })),
    })
    const late = textOf(ANA, { age: 30 })
    await postTo(acme, second, acme.org.wabaId, { contacts: contactsOf(ANA), messages: [late] })
    await acmes.app.drained()
    const shown = await acme.messages(room)
    expect(shown.map(({ wamid }) => wamid)).toEqual(expect.arrayContaining([before.id, late.id, m.id]))
    expect(await readMessage(acmes.app.db, acme.org.id, oldSend)).toMatchObject({ status: 'read' })
    const newSend = await send()
    expect(acmes.graph.accepted.find(({ wamid }) => wamid === newSend)?.phoneId).toBe(third)
    expect(await acme.state(room)).toMatchObject({ remote_phone_id: third, state: 'active' })
  })

  it('a chatroom of somebody who left wakes for nobody, and the token neither reads nor sends', async () => {
    const acme = await acmes.create()
    const room = await roomOfAsha(acme, CLEO)
    const pending = await acme.room(ANA, 'deactivated', { pendingUserId: 'asha' })
    const asAsha = { user: 'asha', role: 'MEMBER' }
    const read = () => acme.call('GET', `/chatroom/${room.id}/messages`, asAsha)
    expect((await read()).status).toBe(200)
    await acme.call('PUT', `/contacts/chatroom/${room.id}/deactivate`)
    const others = acme.file.users.filter(({ id }) => id !== 'asha')
    const groups = [{ id: 'sales', name: 'Sales', members: others.map(({ id }) => id) }]
    const { settings } = acme.file
    await provisionOrg(acmes.app.db, {
      id: acme.org.id,
      settings,
      users: others,
      users_are_complete: true,
      groups,
    })
    const answer = { origin: 'AGENT', text: { body: 'still here' } }
    expect((await read()).status).toBe(403)
    expect((await acme.call('POST', `/chatroom/${room.id}/messages`, asAsha, answer)).status).toBe(403)
    for (const [customer, chatroom] of [
      [CLEO, room],
      [ANA, pending],
    ] as const) {
      await acme.deliver('messages', { contacts: contactsOf(customer), messages: [textOf(customer)] })
      expect(await acme.state(chatroom)).toMatchObject({ state: 'active', users: [] })
    }
    const kinds = async ({ id }: { id: string }) => (await eventsOf(acmes.app.db, id)).map(({ kind }) => kind)
    expect(await kinds(room)).toContain('chatroom.unassigned')
    expect(await kinds(pending)).toContain('chatroom.handover_cancelled')
    expect(await kinds(pending)).not.toContain('chatroom.handed_over')
  })

  it('a file that merely leaves a user out removes nobody', async () => {
    const acme = await acmes.create()
    const room = await roomOfAsha(acme, CLEO)
    const users = acme.file.users.filter(({ id }) => id !== 'asha')
    await provisionOrg(acmes.app.db, { id: acme.org.id, settings: acme.file.settings, users })
    expect(await acme.state(room)).toMatchObject({ users: ['asha'] })
    expect((await acme.call('GET', '/settings', { user: 'asha', role: 'MEMBER' })).status).toBe(200)
  })

  it('the delegate gets the chatrooms of a user whom the API removes', async () => {
    const acme = await acmes.create({ delegate: { group_id: 'sales' } })
    const room = await roomOfAsha(acme, CLEO)
    const { status, body } = await acme.call('DELETE', '/users/asha')
    expect([status, body]).toEqual([200, { user_id: 'asha', released_chatrooms: 1 }])
    expect(await acme.state(room)).toMatchObject({ users: [expect.stringMatching(/^(bala|chen)$/)] })
    expect((await acme.call('DELETE', '/groups/sales/members/bala')).status).toBe(204)
    expect((await acme.call('DELETE', '/groups/sales/members/asha')).status).toBe(404)
  })
})
