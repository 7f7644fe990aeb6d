import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, startAcmes } from '../support/acme.ts'
import { engines, OPS_LOGIN } from '../support/app.ts'
import { eventsOfOrg } from '../support/events.ts'
import { readMessage } from '../support/inbox.ts'
import { card, system, text } from '../support/people.ts'

type Item = ReturnType<typeof text>

describe.each(engines())('the person behind a message, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
  })

  /** Posts a message to one of the numbers, and gives its row in the ledger. */
  async function write(acme: Acme, item: Item, { number = 0, contact = {} } = {}) {
    const contacts = item.type === 'system' ? {} : { contacts: [{ profile: { name: 'Kim' }, ...contact }] }
    await acme.deliver('messages', { messages: [item], ...contacts }, number)
    return readMessage(acmes.app.db, acme.org.id, item.id)
  }

  it('who changed a parent id goes on under the new one, also in another portfolio', async () => {
    const acme = await acmes.create()
    const first = await write(acme, text({ from_user_id: 'US.801', from_parent_user_id: 'US.ENT.91' }, 7_200))
    const change = {
      type: 'user_changed_user_id',
      previous_user_id: 'US.777',
      user_id: 'US.778',
      previous_parent_user_id: 'US.ENT.91',
      parent_user_id: 'US.ENT.92',
    }
    await write(acme, system(change, {}, 3_600))
    const again = text({ from_user_id: 'US.900', from_parent_user_id: 'US.ENT.92' })
    expect(await write(acme, again, { number: 2 })).toMatchObject({ customer_id: first.customer_id })
    for (const id of ['US.801', 'US.900', 'US.ENT.91', 'US.ENT.92']) {
      const { body } = await acme.call('GET', `/customer?user_id=${id}`)
      expect([id, body.customer_id]).toEqual([id, first.customer_id])
    }
  })

  it('who writes by username joins the phone that Meta attests, not one of a card that anybody may send', async () => {
    const acme = await acmes.create()
    const room = await acme.room('201000000001')
    const omar = { from_user_id: 'EG.1' }
    const contact = { user_id: 'EG.1' }
    const shared = (waId: string, origin: string) => card(omar, [{ phone: `+${waId}`, wa_id: waId }], origin)
    const held = [text(omar, 60), shared('201000000009', 'other'), shared('201000000001', 'other')]
    for (const item of held) expect(await write(acme, item, { contact })).toMatchObject({ route: 'held' })
    const after = [shared('201000000001', 'contact_request'), text(omar)]
    for (const item of after) {
      expect(await write(acme, item, { contact })).toMatchObject({ route: 'active', chatroom_id: room.id })
    }
    const shown = (await acme.messages(room)).map(({ wamid }) => wamid)
    expect([...shown].sort()).toEqual([...held, ...after].map(({ id }) => id).sort())
  })

  it('is answered under the BSUID of the portfolio that the sending number belongs to', async () => {
    const acme = await acmes.create({ unknown_sender: 'create' })
    const kim = (userId: string) => ({ from_user_id: userId, from_parent_user_id: 'MY.ENT.7' })
    const here = await write(acme, text(kim('MY.1'), 60))
    const there = await write(acme, text(kim('MY.99')), { number: 2 })
    expect(there.customer_id).toBe(here.customer_id)
    for (const [room, number, recipient] of [
      [here.chatroom_id, 0, 'MY.1'],
      [there.chatroom_id, 2, 'MY.99'],
    ]) {
      const body = { origin: 'AGENT', text: { body: 'hi Kim' } }
      expect((await acme.call('POST', `/chatroom/${room}/messages`, {}, body)).status).toBe(202)
      const path = `/v26.0/${acme.org.phones[number]}/messages`
      await expect
        .poll(() =>
          acmes.graph.requests.filter((request) => request.path === path).map((r) => r.body.recipient),
        )
        .toEqual([recipient])
    }
  })

  it('who has the eight digits of old Ivory Coast is found by them, unless two customers fit', async () => {
    const acme = await acmes.create()
    const awa = await acme.room('2250768123456')
    expect(await write(acme, text({ from: '22568123456' }))).toMatchObject({ chatroom_id: awa.id })
    await acme.room('2250768999999')
    await acme.room('2250568999999')
    expect(await write(acme, text({ from: '22568999999' }))).toMatchObject({ route: 'held' })
    expect(await eventsOfOrg(acmes.app.db, acme.org.id, 'customer.%')).toMatchObject([
      { kind: 'customer.ambiguous' },
    ])
    const held = await write(acme, text({ from: '22568777777' }))
    const { status, body } = await acme.call('GET', '/customer?phone=22568777777')
    expect([status, body.customer_id]).toEqual([200, held.customer_id])
    const url = `${acmes.app.opsUrl}/console/customer?q=22568777777`
    const page = await fetch(url, { headers: { authorization: OPS_LOGIN } })
    expect(await page.text()).toContain(held.customer_id)
  })

  it('whose old phone went to somebody else is not taken for them, and a silent change is noticed', async () => {
    const acme = await acmes.create()
    const [old, next] = ['15550001111', '15559990000']
    const room = await acme.room(old)
    await write(acme, text({ from: old, from_user_id: 'US.1' }, 7_200))
    const change = { type: 'user_changed_number', wa_id: next, new_wa_id: Number(next), customer: `+${old}` }
    await write(acme, system(change, { from: old }, 3_600))
    const stranger = await write(acme, text({ from: old, from_user_id: 'US.9' }, 60))
    expect([stranger.route, stranger.customer_id === room.customerId]).toEqual(['held', false])
    expect(await write(acme, text({ from: next, from_user_id: 'US.2' }, 30))).toMatchObject({
      chatroom_id: room.id,
    })
    const events = () => eventsOfOrg(acmes.app.db, acme.org.id, 'customer.%')
    expect(await events()).toEqual([])
    expect(await write(acme, text({ from: next, from_user_id: 'US.3' }))).toMatchObject({
      chatroom_id: room.id,
    })
    expect(await events()).toMatchObject([{ kind: 'customer.new_identity', customer_id: room.customerId }])
  })
})
