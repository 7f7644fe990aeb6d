import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, OWN, startAcmes } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { accepts } from '../support/graph-server.ts'
import { eventually } from '../support/patience.ts'
import { namesOf, system, text } from '../support/people.ts'

const [A, B] = ['15550002222', '15550003333']
const HELLO = { origin: 'AGENT', text: { body: 'hello' } }

describe.each(engines())('the address of a message, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
    acmes.graph.set(accepts)
  })

  const writes = (acme: Acme, names: object, ago = 0) =>
    acme.deliver('messages', { messages: [text(names, ago)] })
  const changes = (acme: Acme, from: string, to: string, ago = 0) =>
    acme.deliver('messages', {
      messages: [system({ type: 'user_changed_number', wa_id: to }, { from }, ago)],
    })
  const send = async (acme: Acme, { id }: { id: string }) => {
    expect((await acme.call('POST', `/chatroom/${id}/messages`, {}, HELLO)).status).toBe(202)
  }
  const asked = ({ org }: Acme) =>
    acmes.graph.requests.filter(({ path }) => path.includes(`/${org.phones[0]}/`)).map(({ body }) => body.to)
  /** Sends one message; gives where it went. */
  async function reply(acme: Acme, room: { id: string }) {
    const before = asked(acme).length
    await send(acme, room)
    await expect.poll(() => asked(acme).length).toBe(before + 1)
    return asked(acme).at(-1)
  }

  it('is the number from which the customer wrote last, however late an older message comes', async () => {
    const acme = await acmes.create()
    const room = await acme.room(A)
    const ana = { from_user_id: 'US.1' }
    await writes(acme, { ...ana, from: A }, 600)
    expect(await reply(acme, room)).toBe(`+${A}`)
    await writes(acme, { ...ana, from: B }, 500)
    expect(await reply(acme, room)).toBe(`+${B}`)
    await writes(acme, { ...ana, from: A }, 300)
    await writes(acme, { ...ana, from: A }, 100)
    await writes(acme, { ...ana, from: B }, 200)
    await writes(acme, { ...ana, from: B }, 400)
    expect(await reply(acme, room)).toBe(`+${A}`)
  })

  it('follows changes of the number, there and back, and to a number that had written before', async () => {
    const acme = await acmes.create()
    const room = await acme.room(A)
    await writes(acme, { from: A, from_user_id: 'US.1' }, 900)
    await writes(acme, { from: B, from_user_id: 'US.1' }, 800)
    await writes(acme, { from: A, from_user_id: 'US.1' }, 700)
    await changes(acme, A, B, 600)
    expect(await reply(acme, room)).toBe(`+${B}`)
    await changes(acme, B, A, 500)
    expect(await reply(acme, room)).toBe(`+${A}`)
    await changes(acme, A, B, 400)
    expect(await reply(acme, room)).toBe(`+${B}`)
  })

  it('is never a number that went to somebody else, who gets what is theirs', async () => {
    const acme = await acmes.create({ unknown_sender: 'create' })
    const room = await acme.room(A)
    await writes(acme, { from: A, from_user_id: 'US.1' }, 900)
    await changes(acme, A, B, 600)
    await writes(acme, { from: A, from_user_id: 'US.9' }, 60)
    expect(await reply(acme, room)).toBe(`+${B}`)
    const { rows } = await acmes.app.db.$client.query(
      'select id from chatrooms where org_id = $1 and id <> $2',
      [acme.org.id, room.id],
    )
    expect(await reply(acme, rows[0])).toBe(`+${A}`)
  })

  it('is not changed by what the company sent, by old history, or by a call', async () => {
    const acme = await acmes.create()
    const room = await acme.room(A)
    await writes(acme, { from: A, from_user_id: 'US.1' }, 900)
    await writes(acme, { from: B, from_user_id: 'US.1' }, 800)
    await acme.deliver('smb_message_echoes', {
      message_echoes: [{ ...text({ from: OWN[0] }), to: `+${A}` }],
    })
    await acme.deliver('history', {
      history: [{ threads: [{ id: A, messages: [text({ from: A }, 86_400)] }] }],
    })
    const call = { id: 'c', from: A, to: OWN[0], event: 'connect', direction: 'USER_INITIATED' }
    await acme.deliver('calls', { calls: [{ ...call, timestamp: String(Math.floor(Date.now() / 1000)) }] })
    expect(await reply(acme, room)).toBe(`+${B}`)
  })

  it('of what waits changes with a change that comes while another message is under way, and stays so', async () => {
    const acme = await acmes.create()
    const room = await acme.room(A)
    await writes(acme, { from: A }, 900)
    let isUnderWay = false
    let answer = () => {}
    acmes.graph.set((res, request, accept) => {
      if (isUnderWay) return accepts(res, request, accept)
      isUnderWay = true
      const contacts = [{ input: `+${A}`, wa_id: A }]
      answer = () => {
        const messages = [{ id: accept({ confirmed: true }) }]
        res.writeHead(200, { 'content-type': 'application/json' })
        res.end(JSON.stringify({ messaging_product: 'whatsapp', contacts, messages }))
      }
    })
    await send(acme, room)
    await send(acme, room)
    await eventually(async () => isUnderWay)
    await changes(acme, A, B, 60)
    answer()
    await expect.poll(() => asked(acme)).toEqual([`+${A}`, `+${B}`])
    const states = async () =>
      (await acmes.app.db.$client.query('select state from outbox where org_id = $1', [acme.org.id])).rows
    await expect.poll(states).toEqual([{ state: 'sent' }, { state: 'sent' }])
    expect(await reply(acme, room)).toBe(`+${B}`)
    const names = await namesOf(acmes.app.db, acme.org, room.customerId)
    expect([names.includes(A), names.includes(B)]).toEqual([false, true])
    acmes.graph.set(accepts)
  })
})
