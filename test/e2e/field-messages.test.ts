import { beforeAll, describe, expect, it } from 'vitest'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { type Acme, type Acmes, contactsOf, startAcmes, textOf } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { eventsOf } from '../support/events.ts'
import { accepts } from '../support/graph-server.ts'
import { readMessage } from '../support/inbox.ts'

const NOOR = '15550001111'
const BOT = '15550006666'
const EVA = '15550007777'
const HOUR = 3_600
const DAY = 24 * HOUR

const say = (acme: Acme, ...messages: ReturnType<typeof textOf>[]) =>
  acme.deliver('messages', { contacts: contactsOf(messages[0]?.from ?? ''), messages })
const reactionTo = (message_id: unknown, emoji = '👍') => ({
  type: 'reaction',
  text: undefined,
  reaction: { message_id, emoji },
})

describe.each(engines())('what customers send, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine, {
      META_VERIFY_TOKEN: ' one , two ',
      META_APP_SECRET: 'e2e-app-secret,other',
    })
  })

  it('a verify token is one of several, and a message from two apps is one', async () => {
    const handshake = async (token: string) => {
      const query = new URLSearchParams({
        'hub.mode': 'subscribe',
        'hub.challenge': '1158201444',
        'hub.verify_token': token,
      })
      const response = await fetch(`${acmes.app.url}/webhooks/whatsapp?${query}`)
      return [response.status, (await response.text()) === '1158201444']
    }
    for (const token of ['one', 'two']) expect(await handshake(token)).toEqual([200, true])
    for (const token of [' one', 'one,two', ' one , two ', '', ',']) {
      expect(await handshake(token)).toEqual([403, false])
    }
    const acme = await acmes.create()
    const room = await acme.room(NOOR)
    const m = textOf(NOOR)
    const body = acme.bodyOf('messages', { contacts: contactsOf(NOOR), messages: [m] })
    expect(await Promise.all([acmes.app.post(body), acmes.app.post(body, 'other')])).toEqual([200, 200])
    await acmes.app.drained()
    expect(await acme.messages(room)).toHaveLength(1)
  })

  it('account events whose long ids differ in the last digit are two, digit for digit', async () => {
    const acme = await acmes.create()
    const event = (id: string) =>
      `{"object":"whatsapp_business_account","entry":[{"id":"${acme.org.wabaId}","time":1795651200,"changes":[{"value":{"event":"PAUSED","message_template_id":${id},"message_template_name":"order_update"},"field":"message_template_status_update"}]}]}`
    const ids = ['123456789012345677', '123456789012345679', '123456789012345677']
    for (const id of ids) await acmes.app.post(Buffer.from(event(id)))
    await acmes.app.drained()
    const text = 'select payload::text from account_events where org_id = $1 order by payload::text'
    const { rows } = await acmes.app.db.$client.query(text, [acme.org.id])
    expect(rows.map(({ payload }) => /\d{18}/.exec(payload)?.[0])).toEqual(ids.slice(0, 2))
  })

  it('ids that are JSON numbers lead to the same customer, chatroom and status', async () => {
    const acme = await acmes.create()
    const room = await acme.room(NOOR)
    const contacts = [
      { profile: { name: 'Eva' }, wa_id: Number(EVA) },
      { profile: { name: 'Noor' }, wa_id: Number(NOOR), user_id: 'US.1' },
    ]
    const first = textOf(NOOR)
    await acme.deliver('messages', { contacts, messages: [{ ...first, from: Number(NOOR) }] })
    await say(acme, textOf(NOOR, { context: { id: 77, from: 918 } }))
    await say(acme, { ...textOf('US.1'), from: undefined, from_user_id: 'US.1' } as never)
    expect((await acme.messages(room)).map(({ route }) => route)).toEqual(['active', 'active', 'active'])
  })

  it('a reaction, an edit and a revoke change no state, get no answer, and are kept once', async () => {
    const acme = await acmes.create()
    const sleeping = await acme.room(NOOR)
    const closed = await acme.room(EVA)
    const [toSleeping, toClosed] = [textOf(NOOR, { age: HOUR }), textOf(EVA, { age: HOUR })]
    await say(acme, toSleeping)
    await say(acme, toClosed)
    await acme.call('PUT', `/contacts/chatroom/${sleeping.id}/deactivate`)
    await acmes.app.db.$client.query(
      'update contacts set created_at = now() - interval $$200 days$$ where id = $1',
      [closed.contactId],
    )
    await acmes.app.db.$client.query(
      'update chatrooms set contact_created_at = now() - interval $$200 days$$ where id = $1',
      [closed.id],
    )
    for (const [from, target] of [
      [NOOR, toSleeping],
      [EVA, toClosed],
    ] as const) {
      const naming = { original_message_id: target.id }
      const kinds = [
        reactionTo(target.id),
        reactionTo(target.id, ''),
        {
          type: 'edit',
          text: undefined,
          edit: { ...naming, message: { type: 'text', text: { body: 'new' } } },
        },
        { type: 'revoke', text: undefined, revoke: naming },
      ]
      for (const kind of kinds) {
        const m = textOf(from, kind)
        await Promise.all([say(acme, m), say(acme, m), say(acme, m)])
      }
    }
    expect((await acme.messages(sleeping)).map(({ route }) => route)).toEqual([
      'active',
      ...Array(4).fill(null),
    ])
    expect((await acme.messages(closed)).map(({ route }) => route)).toEqual([
      'active',
      ...Array(4).fill('expired'),
    ])
    expect(await acme.state(sleeping)).toMatchObject({ state: 'deactivated' })
    expect(await acme.state(closed)).toMatchObject({ state: 'expired' })
    expect(await acme.replies()).toBe(0)
  })

  it('a reaction to an unknown message, or to one of another customer, is routed as a message, unanswered', async () => {
    const acme = await acmes.create()
    const [room, others] = [await acme.room(NOOR, 'deactivated'), await acme.room(EVA)]
    const closed = await acme.room(BOT, 'expired')
    const hers = textOf(EVA)
    await say(acme, hers)
    await say(acme, textOf(NOOR, reactionTo(hers.id)))
    await say(acme, textOf(BOT, reactionTo('wamid.UNKNOWN')))
    expect((await acme.messages(room)).map(({ route }) => route)).toEqual(['reactivated'])
    expect(await acme.messages(others)).toHaveLength(1)
    expect((await acme.messages(closed)).map(({ route }) => route)).toEqual(['expired'])
    expect(await acme.replies()).toBe(0)
  })

  it('a reaction wakes the chatroom of its message where the org wants it so', async () => {
    const acme = await acmes.create({ reactions_reactivate: true })
    const room = await acme.room(NOOR)
    const m = textOf(NOOR, { age: HOUR })
    await say(acme, m)
    await acme.call('PUT', `/contacts/chatroom/${room.id}/deactivate`)
    await say(acme, textOf(NOOR, reactionTo(m.id)))
    expect((await acme.messages(room)).map(({ route }) => route)).toEqual(['active', 'reactivated'])
  })

  it('a message that comes hours late counts for its own time, and no sweep undoes it', async () => {
    const acme = await acmes.create({ inactivity_days: 1 })
    const silent = new Date(Date.now() - 25 * HOUR * 1000)
    const room = await acme.room(NOOR, 'active', {
      lastInboundAt: silent,
      activatedAt: silent,
      createdAt: silent,
    })
    const old = new Date(Date.now() - 9 * DAY * 1000)
    const gone = new Date(Date.now() - 8 * DAY * 1000)
    const asleep = await acme.room(EVA, 'deactivated', {
      activatedAt: old,
      createdAt: old,
      deactivatedAt: gone,
    })
    await say(acme, textOf(NOOR, { age: 3 * HOUR }))
    await say(acme, textOf(EVA, { age: 30 * HOUR }))
    await deactivateInactive(acmes.app.db, undefined)
    expect(await acme.state(room)).toMatchObject({ state: 'active' })
    expect(await eventsOf(acmes.app.db, room.id)).toEqual([])
    expect((await acme.messages(asleep)).map(({ route }) => route)).toEqual([null])
    expect(await acme.state(asleep)).toMatchObject({ state: 'deactivated' })
    expect(await eventsOf(acmes.app.db, asleep.id)).toEqual([])
  })

  it('ten photos at once to an expired chatroom get ten answers, or one where the org has an interval', async () => {
    for (const [interval, answers] of [
      [0, 10],
      [60, 1],
    ]) {
      const acme = await acmes.create({ auto_reply_min_interval_seconds: interval })
      const room = await acme.room(EVA, 'expired')
      const photos = Array.from({ length: 10 }, (_, i) =>
        textOf(EVA, { type: 'image', text: undefined, image: { id: `9${i}`, mime_type: 'image/jpeg' } }),
      )
      await Promise.all(
        photos.map((photo) => acme.post('messages', { contacts: contactsOf(EVA), messages: [photo] })),
      )
      await acmes.app.drained()
      expect(
        await acme.messages(room).then((shown) => shown.filter((m) => m.direction === 'in')),
      ).toHaveLength(10)
      expect(await acme.replies()).toBe(answers)
    }
  })

  it('two robots stop after 20 auto-replies, and an event says so; a person who writes later is answered', async () => {
    const acme = await acmes.create()
    const room = await acme.room(BOT, 'expired')
    const posts: Promise<number>[] = []
    acmes.graph.set((res, request, accept) => {
      accepts(res, request, accept)
      const answer = textOf(BOT, { text: { body: 'Thank you for your message!' } })
      posts.push(acme.post('messages', { contacts: contactsOf(BOT), messages: [answer] }))
    })
    // The answers are queued at once; the pair rate would let 20 of them leave in a minute and a half only.
    for (let i = 0; i < 25; i += 1) await say(acme, textOf(BOT))
    expect(await acme.replies()).toBe(20)
    acmes.graph.set(accepts)
    await Promise.all(posts)
    await acmes.app.drained()
    expect(await acme.replies()).toBe(20)
    const shown = await acme.messages(room)
    expect(shown.filter((m) => m.direction === 'in').length).toBeGreaterThanOrEqual(25)
    expect(shown.filter((m) => m.reason.includes('paused')).length).toBeGreaterThanOrEqual(5)
    const pauses = (await eventsOf(acmes.app.db, room.id)).filter(
      (e) => e.kind === 'chatroom.auto_reply_paused',
    )
    expect(pauses).toHaveLength(1)
    const person = await acme.room(EVA, 'expired')
    await say(acme, textOf(EVA))
    expect(await acme.replies()).toBe(21)
    expect((await acme.messages(person)).some((m) => m.reason.includes('paused'))).toBe(false)
    await acmes.app.db.$client.query(
      `update chatrooms set last_auto_reply_at = now() - interval '61 minutes',
         auto_replies_since = now() - interval '70 minutes' where id = $1`,
      [room.id],
    )
    await say(acme, textOf(BOT))
    expect(await acme.replies()).toBe(22)
  })

  it('the only contact is the sender’s in another spelling; of several, none is taken by its place', async () => {
    const acme = await acmes.create()
    const room = await acme.room('5511987650002')
    const [bia, mail] = ['551187650002', 'BR.13491208655302741918']
    const contact = { profile: { name: 'Bia' }, wa_id: '5511987650002', user_id: mail }
    await acme.deliver('messages', { contacts: [contact], messages: [textOf(bia)] })
    await acme.deliver('messages', { contacts: [], messages: [{ ...textOf(''), from_user_id: mail }] })
    expect((await acme.messages(room)).map(({ route }) => route)).toEqual(['active', 'active'])
    const [first, second] = [textOf(NOOR), textOf(EVA)]
    const foreign = [
      { profile: { name: 'A' }, wa_id: '15550008881', user_id: 'US.81' },
      { profile: { name: 'B' }, wa_id: '15550008882', user_id: 'US.82' },
    ]
    await acme.deliver('messages', { contacts: foreign, messages: [first, second] })
    for (const m of [first, second]) {
      expect(await readMessage(acmes.app.db, acme.org.id, m.id)).toMatchObject({
        route: 'held',
        user_id: null,
      })
    }
    expect((await acme.call('GET', '/customer?user_id=US.81')).status).toBe(404)
  })
})
