import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { extract, isGhost } from '../../src/webhook/extract.ts'
import { bytes, change, delivery, message } from '../support/webhooks.ts'

const RECEIVED = new Date('2026-11-21T12:00:00Z')
const read = (body: unknown) =>
  extract({ id: 7, body: Buffer.isBuffer(body) ? body : bytes(body), receivedAt: RECEIVED })
const readOne = (item: unknown, contacts?: unknown[]) =>
  read(delivery([change('p', { messages: [item], ...(contacts && { contacts }) })]))
const senderOf = (item: unknown, contacts?: unknown[]) => readOne(item, contacts).messages[0]?.sender

describe('a delivery', () => {
  it('gives its messages in the order of entries, changes and messages', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => message({ id, at: RECEIVED }))
    const body = {
      entry: [
        ...delivery([change('p', { messages: [a, b] }), change('q', { messages: [c] })]).entry,
        ...delivery([change('p', { messages: [d] })], 'waba-2').entry,
      ],
      object: 'whatsapp_business_account',
    }
    const { messages, problems } = read(body)
    expect(messages.map((m) => [m.phoneId, m.wamid, m.seq - 7 * 4096])).toEqual([
      ['p', 'a', 0],
      ['p', 'b', 1],
      ['q', 'c', 2],
      ['p', 'd', 3],
    ])
    expect(problems).toEqual([])
  })

  it('may be empty', () => {
    expect(read({ object: 'whatsapp_business_account', entry: [] })).toMatchObject({
      messages: [],
      problems: [],
    })
  })

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0xff]), 'the body is not UTF-8'],
    ['a body that is not JSON', Buffer.from('{'), 'the body is not JSON'],
    ['a list', [], 'the body is not a JSON object'],
    ['another object', { object: 'page' }, '"object" is not whatsapp_business_account'],
    ['no entries', { object: 'whatsapp_business_account' }, '"entry" is not a list'],
    [
      'an entry that is not an object',
      { object: 'whatsapp_business_account', entry: [1] },
      'entry[0] has no list of changes',
    ],
    [
      'a change without a value',
      delivery([{ field: 'messages' }]),
      'entry[0].changes[0] lacks its field or value',
    ],
    [
      '`messages` that is not a list',
      delivery([change('p', { messages: {} as [], contacts: [] })]),
      'messages: messages is not a list',
    ],
    [
      '`statuses` that is not a list',
      delivery([change('p', { statuses: 'x' as never })]),
      'statuses: statuses is not a list',
    ],
  ])('with %s has one problem', (_, body, problem) => {
    expect(read(body).problems).toEqual([problem])
  })

  it('is read without an exception, for any bytes and any JSON', () => {
    fc.assert(fc.property(fc.uint8Array(), (b) => void read(Buffer.from(b))))
    fc.assert(fc.property(fc.jsonValue(), (value) => void read(value)))
    fc.assert(fc.property(fc.jsonValue(), (value) => void readOne(value)))
    fc.assert(fc.property(fc.jsonValue(), (value) => void read(delivery([{ field: 'messages', value }]))))
  })
})

describe('a message', () => {
  it('is kept whole, with unknown keys, and has the timestamp of Meta', () => {
    const m = { ...message({ id: 'a', at: new Date('2026-11-20T10:00:00Z') }), novelty: { x: [1] } }
    const [got] = readOne(m).messages
    expect(JSON.parse(got?.payload ?? '')).toEqual(m)
    expect(got).toMatchObject({ type: 'text', sentAt: new Date('2026-11-20T10:00:00Z'), nature: 'customer' })
  })

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['null', null],
    ['a word', 'soon'],
    ['infinite', '1e400'],
    ['negative', '-5'],
    ['in the future', '1800000000000'],
  ])('has the time of receipt if its timestamp is %s', (_, timestamp) => {
    expect(readOne({ ...message({}), timestamp }).messages[0]?.sentAt).toEqual(RECEIVED)
  })

  it('may have a timestamp with a fraction of a second', () => {
    const fraction = { ...message({}), timestamp: 1_790_416_832.5 }
    expect(readOne(fraction).messages[0]?.sentAt).toEqual(new Date(1_790_416_832_500))
  })

  it('may have a number as timestamp and as id', () => {
    expect(readOne({ ...message({}), id: 12, timestamp: 1_790_416_832 }).messages[0]).toMatchObject({
      wamid: '12',
      sentAt: new Date(1_790_416_832_000),
    })
  })

  it.each([
    ['no type', 'unknown', 'customer', { type: undefined }],
    ['an unknown type', 'hologram', 'customer', { type: 'hologram' }],
    ['a type with U+0000', 'ab', 'customer', { type: 'a\u0000b' }],
    ['the type system', 'system', 'system', { type: 'system' }],
    ['a group', 'text', 'group', { group_id: 'g' }],
  ])('with %s has the type %s and the nature %s', (_, type, nature, extra) => {
    expect(readOne({ ...message({}), ...extra }).messages[0]).toMatchObject({ type, nature })
  })

  it.each([
    ['no id', { id: undefined }, 'has no id'],
    ['an id of 513 characters', { id: 'x'.repeat(513) }, 'has an impossible id'],
    ['a control character in its id', { id: 'a\u0000' }, 'has an impossible id'],
    ['half a surrogate pair in its id', { id: 'a\ud800' }, 'has an impossible id'],
    ['no sender', { from: '' }, 'names no sender'],
    ['99 nested lists', { deep: JSON.parse('['.repeat(99) + ']'.repeat(99)) }, 'is nested deeper than 64'],
  ])('with %s is one problem, and the message beside it is read', (_, extra, problem) => {
    const { messages, problems } = read(
      delivery([
        change('p', { messages: [{ ...message({}), ...extra }, message({ id: 'good' })], contacts: [] }),
      ]),
    )
    expect(problems).toEqual([`messages[0]: ${problem}`])
    expect(messages.map((m) => m.wamid)).toEqual(['good'])
  })

  it('that is not an object or has no number is a problem', () => {
    expect(readOne('x').problems).toEqual(['messages[0]: is not an object'])
    const noNumber = delivery([{ field: 'messages', value: { messages: [message({})] } }])
    expect(read(noNumber).problems).toEqual(['messages[0]: has no metadata.phone_number_id'])
  })

  it('is a ghost if its type is unsupported or unknown', () => {
    expect(['unsupported', 'unknown', 'text'].map(isGhost)).toEqual([true, true, false])
  })
})

describe('the sender of a message', () => {
  const none = { waId: undefined, userId: undefined, parentUserId: undefined, profileName: undefined }

  it.each([
    ['the phone of `from`', message({ from: '1555' }), [], { waId: '1555' }],
    [
      'a BSUID beside the phone',
      message({ from: '1555', userId: 'US.1' }),
      [],
      { waId: '1555', userId: 'US.1' },
    ],
    ['a BSUID alone', message({ from: '', userId: 'US.1' }), [], { userId: 'US.1' }],
    ['a BSUID inside `from`', message({ from: 'US.1' }), [], { userId: 'US.1' }],
    [
      'a parent BSUID',
      message({ from: '', extra: { from_parent_user_id: 'US.ENT.1' } }),
      [],
      { parentUserId: 'US.ENT.1' },
    ],
    [
      'the entry of contacts[] with the same wa_id, not the first',
      message({ from: '1555' }),
      [
        { wa_id: '1', profile: { name: 'No' } },
        { wa_id: '1555', user_id: 'US.5', profile: { name: 'Ana' } },
      ],
      { waId: '1555', userId: 'US.5', profileName: 'Ana' },
    ],
    [
      'the entry of contacts[] with the same user_id, which knows the phone',
      message({ from: '', userId: 'US.1' }),
      [{ wa_id: '1555', user_id: 'US.1', parent_user_id: 'US.ENT.2' }],
      { waId: '1555', userId: 'US.1', parentUserId: 'US.ENT.2' },
    ],
    [
      'the only contact of a message that names nobody',
      message({ from: '' }),
      [{ wa_id: '7' }],
      { waId: '7' },
    ],
    [
      'the contact whose BSUID stands in `from`',
      message({ from: 'US.1' }),
      [{ user_id: 'US.1', wa_id: '9' }],
      { waId: '9', userId: 'US.1' },
    ],
    [
      'the former id of a system message without `from`',
      message({ from: '', type: 'system', extra: { system: { user_id: 'US.2', previous_user_id: 'US.1' } } }),
      [],
      {
        userId: 'US.1',
        rename: {
          to: { waId: undefined, userId: 'US.2', parentUserId: undefined },
          givenUp: { waId: undefined, userId: 'US.1', parentUserId: undefined },
        },
      },
    ],
    [
      'the new number of a system message that names nothing else',
      message({ from: '', type: 'system', extra: { system: { wa_id: '8' } } }),
      [],
      { waId: '8' },
    ],
    [
      'a name without U+0000',
      message({ from: '1' }),
      [{ wa_id: '1', profile: { name: 'A\u0000' } }],
      { waId: '1', profileName: 'A' },
    ],
  ])('is %s', (_, item, contacts, expected) => {
    expect(senderOf(item, contacts)).toEqual({ ...none, ...expected })
  })

  it('is read as if an entry of contacts[] that is no object were not there', () => {
    expect(senderOf(message({ from: '1555' }), ['x', null])).toEqual({ ...none, waId: '1555' })
  })

  it('is unknown if two contacts stand beside a message that names none', () => {
    expect(readOne(message({ from: '' }), [{ wa_id: '1' }, { wa_id: '2' }]).problems).toHaveLength(1)
  })
})

describe('an item that the customer did not write', () => {
  const talk = (field: string, value: object) =>
    read(delivery([{ field, value: { metadata: { phone_number_id: 'p' }, ...value } }]))

  it('belongs to the customer it was sent to, with the direction echo, if it is an echo of the Business App', () => {
    const echo = { from: '1999', to: '1555', to_user_id: 'US.1', id: 'e', type: 'text', text: { body: 'x' } }
    expect(talk('smb_message_echoes', { message_echoes: [echo] }).messages).toMatchObject([
      { wamid: 'e', nature: 'echo', direction: 'echo', sender: { waId: '1555', userId: 'US.1' } },
    ])
    expect(talk('smb_message_echoes', { message_echoes: [{ id: 'e' }] }).problems).toEqual([
      'message_echoes[0]: names no sender',
    ])
  })

  it('may be a message, an echo or a status nested in standby', () => {
    const standby = {
      messages: [message({ id: 'm' })],
      message_echoes: [{ id: 'e', to: '1555' }],
      statuses: [{ id: 's', status: 'sent' }],
    }
    const { messages, statuses } = talk('standby', { standby })
    expect(messages.map((m) => [m.wamid, m.nature])).toEqual([
      ['m', 'standby'],
      ['e', 'echo'],
    ])
    expect(statuses.map((s) => s.wamid)).toEqual(['s'])
    const bare = read(
      delivery([
        { field: 'standby', value: { standby: { metadata: { phone_number_id: 'q' }, ...standby } } },
      ]),
    )
    expect(bare.messages[0]?.phoneId).toBe('q')
    expect(talk('standby', standby).messages).toHaveLength(2)
  })

  it('is imported in both directions, thread by thread, if it is history', () => {
    const threads = [
      {
        id: '1555',
        messages: [message({ id: 'in', from: '1555' }), { id: 'out', from: '1999', to: '1555' }],
      },
      { id: '1666', messages: [{ id: 'bare', type: 'text' }] },
      null,
    ]
    const { messages, problems } = talk('history', { history: [{ metadata: { phase: 0 }, threads }, {}] })
    expect(problems).toEqual([])
    expect(messages.map((m) => [m.wamid, m.nature, m.direction, m.sender.waId])).toEqual([
      ['in', 'import', 'in', '1555'],
      ['out', 'import', 'echo', '1555'],
      ['bare', 'import', 'in', '1666'],
    ])
    const declined = talk('history', { history: [{ errors: [{ code: 2593109 }] }] })
    expect(declined.accountEvents).toMatchObject([{ field: 'history' }])
  })

  it.each(['messaging_handovers', 'calls', 'group_lifecycle_update', 'user_id_update', 'something_new'])(
    'is an account event if its field is %s',
    (field) => {
      expect(talk(field, { x: 1 })).toMatchObject({ messages: [], problems: [], accountEvents: [{ field }] })
    },
  )
})

describe('statuses and other fields', () => {
  it('include statuses with their errors, also unknown ones', () => {
    const statuses = [
      { id: 'a', status: 'failed', timestamp: '1790416832', errors: [{ code: 131047 }] },
      { id: 'b', status: 'in_orbit' },
      { id: 'c' },
      'x',
    ]
    const { statuses: got, problems } = read(delivery([change('p', { statuses })]))
    expect(got).toMatchObject([
      {
        phoneId: 'p',
        wamid: 'a',
        status: 'failed',
        errors: '[{"code":131047}]',
        at: new Date(1_790_416_832_000),
      },
      { wamid: 'b', status: 'in_orbit', errors: undefined, at: RECEIVED },
      { wamid: 'c', status: 'unknown' },
    ])
    expect(problems).toEqual(['statuses[3]: is not an object'])
  })

  it('include the recipient of a status if the status names the recipient in several ways', () => {
    const recipientOf = (status: object, contacts: unknown[] = []) =>
      read(delivery([change('p', { statuses: [{ id: 'a', status: 'sent', ...status }], contacts })]))
        .statuses[0]?.recipient
    const both = { recipient_id: '1555', recipient_user_id: 'US.1' }
    expect(recipientOf(both)).toEqual({ waId: '1555', userId: 'US.1', parentUserId: undefined })
    expect(recipientOf({ recipient_id: '1555' })).toBeUndefined()
    for (const recipient_id of ['1555', 1555, '+1555']) {
      const contacts = [{ wa_id: '1556' }, { wa_id: '1555', user_id: 'US.2' }]
      expect(recipientOf({ recipient_id }, contacts)).toMatchObject({ userId: 'US.2' })
    }
    expect(recipientOf({ recipient_user_id: 'US.1', recipient_parent_user_id: 'US.ENT.1' })).toMatchObject({
      parentUserId: 'US.ENT.1',
    })
    expect(recipientOf({ ...both, recipient_type: 'group' })).toBeUndefined()
  })

  it('are kept as account events if they are statuses of payments or unknown keys beside messages', () => {
    const statuses = [{ id: 'a', status: 'captured', type: 'payment' }, 'x', { id: 'b', status: 'read' }]
    const body = delivery([change('p', { statuses, ...{ conversation_context: { type: 'summary' } } })])
    expect(read(body).accountEvents.map((e) => [e.field, JSON.parse(e.payload).statuses?.length])).toEqual([
      ['messages.statuses', 1],
      ['messages.other', undefined],
    ])
  })

  it('are kept as account events, the same content with the same digest', () => {
    const body = {
      object: 'whatsapp_business_account',
      entry: [{ id: 5, time: 1, changes: [{ field: 'x', value: { a: 1 } }] }],
    }
    const [event] = read(body).accountEvents
    expect(event).toMatchObject({ wabaId: '5', phoneId: undefined, field: 'x', payload: '{"a":1}' })
    expect(read(body).accountEvents[0]?.digest).toEqual(event?.digest)
    expect(read({ ...body, entry: [{ ...body.entry[0], time: 2 }] }).accountEvents[0]?.digest).not.toEqual(
      event?.digest,
    )
    expect(read({ ...body, entry: [{ changes: body.entry[0]?.changes }] }).accountEvents[0]?.wabaId).toBe('')
  })

  it('include errors beside messages, and a change of which no key is known', () => {
    const errors = [{ code: 131035 }]
    expect(read(delivery([change('p', { errors })])).accountEvents).toMatchObject([
      { field: 'messages', phoneId: 'p' },
    ])
    expect(read(delivery([change('p', { errors, messages: [message({})] })])).accountEvents).toMatchObject([
      { field: 'messages.errors', phoneId: 'p' },
    ])
    expect(read(delivery([change('p', {})])).accountEvents).toMatchObject([
      { field: 'messages', phoneId: 'p' },
    ])
  })

  it('include preferences, the whole field as an account event, and a problem for each unreadable preference', () => {
    const value = {
      metadata: { phone_number_id: 'p' },
      user_preferences: [
        { wa_id: '1555', value: 'stop', timestamp: 1_790_416_832 },
        { user_id: 'US.1', value: 'resume' },
        { wa_id: '1555', value: 'signup' },
        'x',
        { value: 'stop' },
      ],
    }
    const { preferences, accountEvents, problems } = read(delivery([{ field: 'user_preferences', value }]))
    expect(preferences).toMatchObject([
      { phoneId: 'p', value: 'stop', sender: { waId: '1555' }, at: new Date(1_790_416_832_000) },
      { value: 'resume', sender: { userId: 'US.1' }, at: RECEIVED },
    ])
    expect(accountEvents).toHaveLength(1)
    expect(problems).toEqual([
      'user_preferences[3]: is not an object',
      'user_preferences[4]: names no sender',
    ])
  })

  it('include the calls of customers, and no call of the company, and the whole field as an account event', () => {
    const connect = { from: '1555', event: 'connect', timestamp: '1790416832', direction: 'USER_INITIATED' }
    const value = (calls: unknown, more: object = {}) => ({
      metadata: { phone_number_id: 'p', display_phone_number: '+91 98100' },
      ...{ calls, ...more },
    })
    const readCalls = (calls: unknown, more?: object) =>
      read(delivery([{ field: 'calls', value: value(calls, more) }]))
    const { calls, accountEvents, problems, messages } = readCalls([
      connect,
      { from_user_id: 'US.1', event: 'connect' },
      { ...connect, event: 'terminate' },
      { ...connect, event: undefined },
      { ...connect, direction: 'BUSINESS_INITIATED' },
      { ...connect, from: '9198100', to: '1555' },
      { event: 'connect' },
      'x',
    ])
    expect(calls).toMatchObject([
      { phoneId: 'p', sender: { waId: '1555' }, at: new Date(1_790_416_832_000) },
      { sender: { waId: undefined, userId: 'US.1' }, at: RECEIVED },
    ])
    expect([calls.length, accountEvents.length, messages, problems]).toEqual([2, 1, [], []])
    const contacts = [{ wa_id: '1556', profile: { name: 'Ana' } }]
    expect(readCalls([{ event: 'connect' }], { contacts }).calls).toMatchObject([
      { sender: { waId: '1556', profileName: 'Ana' } },
    ])
    expect(readCalls([connect], { metadata: undefined })).toMatchObject({ calls: [], problems: [] })
    expect(readCalls({})).toMatchObject({ calls: [], problems: [], accountEvents: [{ field: 'calls' }] })
    expect(readCalls([{ ...connect, from: 'x'.repeat(600) }]).problems).toEqual([
      'calls[0]: has an impossible sender id',
    ])
  })

  it('a fault of Usher itself is a problem of the item it happened in, and quotes nothing', () => {
    const body = delivery([change('p', { messages: [message({})], statuses: [] })])
    const { problems } = extract({ id: 1, body: bytes(body), receivedAt: null as never })
    expect(problems).toEqual(['messages[0]: failed in Usher itself (TypeError)'])
  })
})

describe('an odd value affects nothing beside it:', () => {
  const deep = '['.repeat(20_000) + ']'.repeat(20_000)
  /** The text `"DEEP"` stands for a value that is nested too deep for JSON.stringify. */
  const readText = (body: unknown) => read(Buffer.from(bytes(body).toString().replaceAll('"DEEP"', deep)))
  const goodBeside = (value: object) => {
    const body = delivery([change('p', { messages: [value, message({ id: 'good' })], contacts: [] })])
    return readText(body)
  }

  it.each(['__proto__', 'constructor', '__defineGetter__', 'toString', 'hasOwnProperty'])(
    'a field named %s is an account event',
    (field) => {
      const { messages, accountEvents, problems } = read(
        delivery([{ field, value: { x: 1 } }, change('p', { messages: [message({ id: 'good' })] })]),
      )
      expect([messages.map((m) => m.wamid), accountEvents.map((e) => e.field), problems]).toEqual([
        ['good'],
        [field],
        [],
      ])
    },
  )

  it.each([
    ['an object', {}],
    ['an object with functions of its own', { valueOf: 1, toString: 2 }],
    ['nested 20,000 deep', 'DEEP'],
    ['endless', '1'.repeat(100_000)],
  ])('a timestamp that is %s', (_, timestamp) => {
    expect(goodBeside({ ...message({ id: 'odd' }), timestamp }).messages.map((m) => m.wamid)).toContain(
      'good',
    )
  })

  it('a sender that is nested 20,000 deep, beside the only contact', () => {
    const messages = [{ ...message({}), from: 'DEEP' }, message({ id: 'good', from: '1555' })]
    const { messages: got } = readText(delivery([change('p', { messages, contacts: [{ wa_id: '1555' }] })]))
    expect(got.map((m) => m.wamid)).toEqual(['good'])
  })

  it.each([
    ['nested too deep', { wa_id: '1555', deep: 'DEEP' }, 'is nested deeper than 64'],
    ['of an endless id', { wa_id: '1555', user_id: 'x'.repeat(600) }, 'has an impossible sender id'],
  ])('a contact that is %s, whose message is read without it', (_, contact, problem) => {
    const messages = [message({ id: 'good', from: '1555' })]
    const { messages: got, problems } = readText(delivery([change('p', { messages, contacts: [contact] })]))
    expect(got).toMatchObject([{ wamid: 'good', contact: undefined, sender: { waId: '1555' } }])
    expect(problems).toEqual([`contacts[0]: ${problem}`])
  })

  it('a contact that is left out does not make another one the sender', () => {
    const contacts = [
      { wa_id: '1555', user_id: 'x'.repeat(600) },
      { wa_id: '1666', profile: { name: 'Someone else' } },
    ]
    const { messages } = readOne(message({ from: '1555' }), contacts)
    expect(messages).toMatchObject([{ sender: { waId: '1555', profileName: undefined } }])
  })

  it('the time of an entry that is nested 20,000 deep counts as none', () => {
    const body = delivery([{ field: 'x', value: { a: 1 } }])
    const odd = { ...body, entry: [{ ...body.entry[0], time: 'DEEP' }] }
    expect(readText(odd)).toMatchObject({ problems: [], accountEvents: [{ field: 'x' }] })
  })

  it.each([
    ['4,000 characters', 'x'.repeat(4_000)],
    ['U+0000', 'waba\u0000'],
  ])('a WABA id with %s affects the account events, which need it, and no message', (_, wabaId) => {
    const changes = [{ field: 'x', value: {} }, change('p', { messages: [message({ id: 'good' })] })]
    const { messages, accountEvents, problems } = read(delivery(changes, wabaId))
    expect(messages.map((m) => m.wamid)).toEqual(['good'])
    expect([accountEvents, problems]).toEqual([[], ['x: has an impossible WABA id']])
  })

  it.each(['a\u0000', 'x'.repeat(513)])('an impossible number of an account event is a problem', (id) => {
    const value = { metadata: { phone_number_id: id } }
    expect(read(delivery([{ field: 'x', value }])).problems).toEqual([
      'x: has an impossible metadata.phone_number_id',
    ])
  })

  it('an endless field is a problem of its change', () => {
    expect(read(delivery([{ field: 'x'.repeat(513), value: {} }])).problems).toEqual([
      'entry[0].changes[0]: has an impossible field',
    ])
  })

  it('an endless type or status is cut', () => {
    const long = 'x'.repeat(100_000)
    expect(readOne({ ...message({}), type: long }).messages[0]?.type).toHaveLength(128)
    const statuses = [{ id: 'a', status: long }]
    expect(read(delivery([change('p', { statuses })])).statuses[0]?.status).toHaveLength(128)
  })

  it.each(['a\u0000', 'x'.repeat(4_000), 7.5, {}])(
    'a reaction to an impossible message is one to an unknown message',
    (id) => {
      const reaction = message({ type: 'reaction', extra: { reaction: { message_id: id, emoji: 'x' } } })
      expect(readOne(reaction)).toMatchObject({ problems: [], messages: [{ target: undefined }] })
    },
  )

  it('an odd value of user_preferences, whose preferences are read', () => {
    const user_preferences = [{ wa_id: '1555', value: 'stop' }]
    const value = { metadata: { phone_number_id: 'p' }, user_preferences, odd: 'DEEP' }
    expect(readText(delivery([{ field: 'user_preferences', value }]))).toMatchObject({
      preferences: [{ value: 'stop' }],
      problems: ['user_preferences: is nested deeper than 64'],
    })
  })

  it('a phone of 100,000 spaces, which is read in a moment', () => {
    const start = performance.now()
    goodBeside({ ...message({}), from: `${' '.repeat(100_000)}x` })
    expect(performance.now() - start).toBeLessThan(2_000)
  })
})
