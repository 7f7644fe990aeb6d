import { beforeAll, describe, expect, it } from 'vitest'
import { type Acme, type Acmes, contactsOf, startAcmes, textOf } from '../support/acme.ts'
import { answersOf } from '../support/answers.ts'
import { engines } from '../support/app.ts'
import { eventsOf } from '../support/events.ts'
import { accepts, refuses } from '../support/graph-server.ts'
import { readMessage } from '../support/inbox.ts'
import { system, text } from '../support/people.ts'

const ANA = '15550002222'
const BO = '15550008888'
const OFFER = { origin: 'CAMPAIGN', template: { name: 'offer', language: { code: 'en_US' } } }
const SORRY = { origin: 'AGENT', text: { body: 'sorry to see you go' } }

describe.each(engines())('a customer who wants no marketing, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
    acmes.graph.set(accepts)
  })

  const send = (acme: Acme, { id }: { id: string }, content: object) =>
    acme.call('POST', `/chatroom/${id}/messages`, {}, content)
  const campaign = async (acme: Acme, room: { id: string }) => {
    const { status, body } = await send(acme, room, OFFER)
    return status === 409 ? body.error_message : status
  }
  const says = (acme: Acme, from: string, body: string, more = {}) =>
    acme.deliver('messages', {
      contacts: contactsOf(from),
      messages: [textOf(from, { text: { body }, ...more })],
    })
  const prefers = (acme: Acme, names: object, value: string, ago: number) =>
    acme.deliver('user_preferences', {
      contacts: [names],
      user_preferences: [
        { ...names, category: 'marketing_messages', value, timestamp: Math.floor(Date.now() / 1000) - ago },
      ],
    })
  const active = { lastInboundAt: new Date(Date.now() - 7_200_000) }

  it('gets no campaign, also none that is queued already, but answers of agents, until a resume', async () => {
    const acme = await acmes.create()
    const room = await acme.room(ANA, 'active', active)
    const other = await acme.room(BO, 'active', active)
    await acmes.app.db.$client.query('update waba_phones set stopped_at = now() where org_id = $1', [
      acme.org.id,
    ])
    expect(await campaign(acme, room)).toBe(202)
    await prefers(acme, { wa_id: ANA }, 'stop', 60)
    expect(await campaign(acme, room)).toBe('CUSTOMER_OPTED_OUT')
    expect(await campaign(acme, other)).toBe(202)
    expect((await send(acme, room, SORRY)).status).toBe(202)
    await acme.provisionAgain()
    const states = async () => {
      const sql = 'select state, error from outbox where org_id = $1 order by position'
      const { rows } = await acmes.app.db.$client.query(sql, [acme.org.id])
      return rows.map(({ state, error }) => [state, error].filter(Boolean).join(': '))
    }
    await expect.poll(states).toEqual(['failed: CUSTOMER_OPTED_OUT', 'sent', 'sent'])
    await prefers(acme, { wa_id: ANA }, 'resume', 90)
    expect(await campaign(acme, room)).toBe('CUSTOMER_OPTED_OUT')
    await prefers(acme, { wa_id: ANA }, 'resume', 30)
    expect(await campaign(acme, room)).toBe(202)
  })

  it('goes on wanting none when merged with the customer of the phone, and a later wish of either wins', async () => {
    const acme = await acmes.create()
    const room = await acme.room(ANA, 'active', active)
    await prefers(acme, { user_id: 'US.1' }, 'stop', 60)
    expect(await campaign(acme, room)).toBe(202)
    await acme.deliver('messages', { messages: [text({ from: ANA, from_user_id: 'US.1' })] })
    expect(await campaign(acme, room)).toBe('CUSTOMER_OPTED_OUT')
    await prefers(acme, { user_id: 'US.2' }, 'stop', 50)
    await prefers(acme, { wa_id: ANA }, 'resume', 30)
    const change = { type: 'user_changed_user_id', previous_user_id: 'US.1', user_id: 'US.2' }
    await acme.deliver('messages', { messages: [system(change)] })
    expect(await campaign(acme, room)).toBe(202)
  })

  it('may say so in a word of the org, whose message is routed as any other', async () => {
    const acme = await acmes.create({ stop_words: ['STOP', 'opt out'], deactivate_on_opt_out: true })
    const room = await acme.room(ANA, 'active', active)
    const stop = textOf(ANA, { text: { body: ' Stop! ' } })
    await acme.deliver('messages', { contacts: contactsOf(ANA), messages: [stop] })
    expect(await readMessage(acmes.app.db, acme.org.id, stop.id)).toMatchObject({
      route: 'active',
      chatroom_id: room.id,
    })
    expect(await campaign(acme, room)).toBe('CUSTOMER_OPTED_OUT')
    expect(await acme.state(room)).toMatchObject({ state: 'deactivated' })
    await prefers(acme, { wa_id: ANA }, 'resume', 0)
    await acme.deliver('messages', { contacts: contactsOf(ANA), messages: [stop] })
    expect(await campaign(acme, room)).toBe(202)
  })

  it('is not somebody who says the word in a sentence, in a group, long ago, or in another org', async () => {
    const acme = await acmes.create({ stop_words: ['stop'] })
    const plain = await acmes.create()
    const room = await acme.room(ANA, 'active', active)
    const elsewhere = await plain.room(ANA, 'active', active)
    await says(acme, ANA, 'please do not stop')
    await says(acme, ANA, 'stop', { context: { forwarded: true } })
    await says(acme, ANA, 'stop', { group_id: 'g' })
    await acme.deliver('smb_message_echoes', {
      message_echoes: [{ ...textOf('919810000000', { text: { body: 'stop' } }), to: ANA }],
    })
    await prefers(acme, { wa_id: ANA }, 'resume', 60)
    await says(acme, ANA, 'stop', { age: 120 })
    await says(plain, ANA, 'stop')
    expect([await campaign(acme, room), await campaign(plain, elsewhere)]).toEqual([202, 202])
  })

  it('loses the active chatroom by error 131050 too, where the org wants that, and nobody else does', async () => {
    const acme = await acmes.create({ deactivate_on_opt_out: true })
    const room = await acme.room(ANA, 'active', active)
    const other = await acme.room(BO, 'active', active)
    acmes.graph.set(answersOf({ [ANA]: [refuses(131050)] }).reply)
    expect([await campaign(acme, room), await campaign(acme, other)]).toEqual([202, 202])
    await expect.poll(() => acme.state(room)).toMatchObject({ state: 'deactivated' })
    expect(await acme.state(other)).toMatchObject({ state: 'active' })
    expect((await eventsOf(acmes.app.db, room.id)).map(({ kind, actor }) => [kind, actor])).toContainEqual([
      'chatroom.deactivated',
      'sending',
    ])
    acmes.graph.set(accepts)
  })

  it('is one whose stop was hidden by a ghost at first', async () => {
    const acme = await acmes.create({ stop_words: ['stop'] })
    const room = await acme.room(ANA, 'active', active)
    const stop = textOf(ANA, { text: { body: 'stop' } })
    const ghost = { ...stop, type: 'unsupported', text: undefined, errors: [{ code: 131060 }] }
    await acme.deliver('messages', { contacts: contactsOf(ANA), messages: [ghost] })
    expect(await campaign(acme, room)).toBe(202)
    await acme.deliver('messages', { contacts: contactsOf(ANA), messages: [stop] })
    expect(await campaign(acme, room)).toBe('CUSTOMER_OPTED_OUT')
  })
})
