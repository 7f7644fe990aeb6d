import { beforeAll, describe, expect, it } from 'vitest'
import { type Acmes, contactsOf, OWN, startAcmes, textOf } from '../support/acme.ts'
import { engines } from '../support/app.ts'
import { readMessage } from '../support/inbox.ts'
import { newWamid } from '../support/webhooks.ts'

const NOOR = '15550001111'
const CLEO = '15550004444'
const [MAIN = '', SECOND = '', OTHER = ''] = OWN

const threads = (id: string, ...messages: object[]) => ({
  history: [{ metadata: { phase: 0, chunk_order: 1, progress: 100 }, threads: [{ id, messages }] }],
})
const image = (id: string) => ({ type: 'image', text: undefined, image: { id, mime_type: 'image/jpeg' } })
const placeholder = { type: 'media_placeholder', text: undefined, history_context: { status: 'READ' } }

describe.each(engines())('a number that the Business App uses too, queue on %s', (engine) => {
  let acmes: Acmes

  beforeAll(async () => {
    acmes = await startAcmes(engine)
  })

  it('has a history in which the sender tells who speaks, since the company’s messages have no "to"', async () => {
    const acme = await acmes.create()
    const room = await acme.room(NOOR)
    const [a, b, c, d] = [
      textOf(MAIN, { age: 900 }),
      textOf(NOOR, { age: 890 }),
      textOf(MAIN, { age: 880, history_context: { from_me: true } }),
      textOf(`+${SECOND}`, { age: 870 }),
    ]
    await acme.deliver('history', threads(NOOR, a, b))
    await acme.deliver('history', threads(`+${NOOR}`, c, d))
    expect(
      (await acme.messages(room)).map(({ wamid, direction, route }) => [wamid, direction, route]),
    ).toEqual([
      [a.id, 'echo', null],
      [b.id, 'in', null],
      [c.id, 'echo', null],
      [d.id, 'echo', null],
    ])
    for (const own of [MAIN, SECOND]) expect(await acme.knows(own)).toBe(false)
    expect(await acme.replies()).toBe(0)
  })

  it('has a history of somebody whom an own number resembles, who stays a customer', async () => {
    const acme = await acmes.create()
    const twin = `1${MAIN.slice(1)}`
    const room = await acme.room(twin)
    await acme.deliver('history', threads(twin, textOf(twin, { age: 90 }), textOf(MAIN, { age: 80 })))
    expect((await acme.messages(room)).map(({ direction }) => direction)).toEqual(['in', 'echo'])
  })

  it('has media of the history that follow or precede their placeholders, and wake nobody', async () => {
    const acme = await acmes.create()
    const room = await acme.room(NOOR, 'deactivated')
    const closed = await acme.room(CLEO, 'expired')
    const keys = () => ({ id: newWamid(), age: 3_600 })
    const [after, before, alone, late] = [keys(), keys(), keys(), keys()]
    await acme.deliver('history', threads(NOOR, textOf(NOOR, { ...after, ...placeholder })))
    await acme.deliver('history', { messages: [textOf(NOOR, { ...after, ...image('81') })] })
    await acme.deliver('history', { messages: [textOf(NOOR, { ...before, ...image('82') })] })
    await acme.deliver('history', threads(NOOR, textOf(NOOR, { ...before, ...placeholder })))
    await acme.deliver('history', { messages: [textOf(NOOR, { ...alone, ...image('83') })] })
    await acme.deliver('history', { messages: [textOf(CLEO, { ...late, ...image('84') })] })
    const shown = await acme.messages(room)
    expect(shown.map(({ wamid, type, route }) => [wamid, type, route])).toEqual(
      [after, before, alone].map(({ id }) => [id, 'image', null]),
    )
    expect(shown.map(({ payload }) => payload.image)).toMatchObject([
      { id: '81' },
      { id: '82' },
      { id: '83' },
    ])
    expect(await acme.state(room)).toMatchObject({ state: 'deactivated', last_inbound_at: null })
    expect(await acme.state(closed)).toMatchObject({ state: 'expired', last_inbound_at: null })
    expect(await acme.replies()).toBe(0)
  })

  it('has a live message whose content replaces its placeholder once, and a placeholder replaces no content', async () => {
    const acme = await acmes.create()
    const room = await acme.room(NOOR, 'deactivated')
    const id = newWamid()
    const ghost = { type: 'unsupported', text: undefined, errors: [{ code: 131060 }] }
    await acme.deliver('messages', { contacts: contactsOf(NOOR), messages: [textOf(NOOR, { id, ...ghost })] })
    const { last_inbound_at } = await acme.state(room)
    await acme.call('PUT', `/contacts/chatroom/${room.id}/deactivate`)
    await acme.deliver('history', { messages: [textOf(NOOR, { id, ...image('85') })] })
    await acme.deliver('messages', { contacts: contactsOf(NOOR), messages: [textOf(NOOR, { id, ...ghost })] })
    expect(await acme.messages(room)).toMatchObject([{ wamid: id, type: 'image', route: 'reactivated' }])
    expect(await acme.state(room)).toMatchObject({ state: 'deactivated', last_inbound_at })
  })

  it('has echoes whose "to" is as it was typed, and one customer, however the phone is written', async () => {
    const acme = await acmes.create({ deactivate_on_opt_out: true })
    const room = await acme.room(NOOR)
    const [a, b, c] = [
      textOf(MAIN, { to: `+${NOOR}`, age: 3 }),
      textOf(MAIN, { to: '+1 (555) 000-1111', age: 2 }),
      textOf(`+${NOOR}`),
    ]
    await acme.deliver('smb_message_echoes', { message_echoes: [a, b] })
    await acme.deliver('messages', { contacts: contactsOf(NOOR), messages: [c] })
    expect((await acme.messages(room)).map(({ wamid, direction }) => [wamid, direction])).toEqual([
      [a.id, 'echo'],
      [b.id, 'echo'],
      [c.id, 'in'],
    ])
    const now = String(Math.floor(Date.now() / 1000))
    const stop = { wa_id: `+${NOOR}`, category: 'marketing_messages', value: 'stop', timestamp: now }
    await acme.deliver('user_preferences', { user_preferences: [stop] })
    expect(await acme.state(room)).toMatchObject({ state: 'deactivated' })
    const { rows } = await acmes.app.db.$client.query(
      'select count(*)::int from customers where org_id = $1',
      [acme.org.id],
    )
    expect(rows).toEqual([{ count: 1 }])
  })

  it('has edits and revokes of the company, which are shown beside the message and wake nobody', async () => {
    const acme = await acmes.create()
    const room = await acme.room(NOOR, 'deactivated')
    const first = textOf(MAIN, { to: NOOR, age: 60 })
    await acme.deliver('smb_message_echoes', { message_echoes: [first] })
    const naming = { original_message_id: first.id }
    const edit = { type: 'edit', text: undefined, edit: { ...naming, message: { type: 'text' } } }
    const revoke = { type: 'revoke', text: undefined, revoke: naming }
    await acme.deliver('smb_message_echoes', {
      message_echoes: [
        textOf(MAIN, { to: `+${NOOR}`, age: 2, ...edit }),
        textOf(MAIN, { to: NOOR, ...revoke }),
      ],
    })
    expect((await acme.messages(room)).map(({ direction, type }) => [direction, type])).toEqual([
      ['echo', 'text'],
      ['echo', 'edit'],
      ['echo', 'revoke'],
    ])
    expect(await acme.state(room)).toMatchObject({ state: 'deactivated' })
  })

  it('makes no customer of the company, when it writes to itself or to its other number', async () => {
    const acme = await acmes.create({ unknown_sender: 'create' })
    const [note, letter, echo] = [textOf(MAIN), textOf(`+${OTHER}`), textOf(MAIN, { to: `+${OTHER}` })]
    await acme.deliver('messages', { contacts: contactsOf(MAIN, 'Acme'), messages: [note] })
    await acme.deliver('messages', { contacts: contactsOf(OTHER, 'Acme'), messages: [letter] })
    await acme.deliver('smb_message_echoes', { message_echoes: [echo] })
    const text = `select wamid, route, reason, chatroom_id from messages where org_id = $1 order by wamid`
    const { rows } = await acmes.app.db.$client.query(text, [acme.org.id])
    const reason = 'a number of the org itself'
    expect(rows).toEqual(
      [note, letter, echo].map(({ id }) => ({ wamid: id, route: null, reason, chatroom_id: null })),
    )
    for (const own of [MAIN, OTHER]) expect(await acme.knows(own)).toBe(false)
    expect(await acme.replies()).toBe(0)
  })

  it('makes no customer of a number of its own that WhatsApp spells in another way', async () => {
    const acme = await acmes.create({ unknown_sender: 'create' })
    await acmes.app.db.$client.query(
      'update waba_phones set display_phone_number = $3 where org_id = $1 and id = $2',
      [acme.org.id, acme.org.phones[1], '+55 11 98765-0002'],
    )
    const m = textOf('551187650002')
    await acme.deliver('messages', { contacts: contactsOf('551187650002'), messages: [m] })
    const other = textOf('551187650003')
    await acme.deliver('messages', { contacts: contactsOf('551187650003'), messages: [other] })
    const route = async ({ id }: { id: string }) => (await readMessage(acmes.app.db, acme.org.id, id)).route
    expect([await route(m), await route(other)]).toEqual([null, 'created'])
    expect(await acme.knows('5511987650002')).toBe(false)
  })

  it('takes a number of another org for a customer like any other', async () => {
    const acme = await acmes.create({ unknown_sender: 'create' })
    const stranger = await acmes.create()
    const theirs = '919899999999'
    await acmes.app.db.$client.query(
      'update waba_phones set display_phone_number = $3 where org_id = $1 and id = $2',
      [stranger.org.id, stranger.org.phones[0], `+${theirs}`],
    )
    await acme.deliver('messages', { contacts: contactsOf(theirs), messages: [textOf(theirs)] })
    expect(await acme.knows(theirs)).toBe(true)
  })
})
