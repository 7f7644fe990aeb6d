import { describe, expect, it } from 'vitest'
import { extract } from '../../src/webhook/extract.ts'
import { bytes, delivery } from '../support/webhooks.ts'

const OWN = '15557770100'
const metadata = { display_phone_number: `+${OWN}`, phone_number_id: 'p' }
const read = (field: string, value: object) =>
  extract({
    id: 7,
    body: bytes(delivery([{ field, value: { metadata, ...value } }])),
    receivedAt: new Date('2026-11-21T12:00:00Z'),
  })
const text = (change: object) => ({ id: 'a', type: 'text', text: { body: 'x' }, ...change })

describe('the display number', () => {
  it('that writes to itself is no customer', () => {
    const { messages } = read('messages', { messages: [text({ from: OWN })] })
    expect(messages).toMatchObject([{ nature: 'own', direction: 'in' }])
  })

  it('that writes to a customer, by phone or by BSUID, is an echo', () => {
    const { messages } = read('messages', {
      messages: [text({ from: OWN, to: '15550001111' }), text({ id: 'b', from: OWN, to_user_id: 'US.1' })],
    })
    expect(messages.map((m) => [m.nature, m.direction, m.sender.waId, m.sender.userId])).toEqual([
      ['echo', 'echo', '15550001111', undefined],
      ['echo', 'echo', undefined, 'US.1'],
    ])
  })
})

describe('content of the history without a thread', () => {
  it('is imported, also without any name of a customer', () => {
    const { messages, problems } = read('history', { messages: [text({ from: OWN, type: 'image' })] })
    expect([messages.length, problems]).toEqual([1, []])
    expect(messages[0]).toMatchObject({ nature: 'import', direction: 'echo', sender: { waId: undefined } })
  })

  it('needs a name inside a thread', () => {
    const threads = [{ messages: [text({})] }, { id: '', messages: [text({})] }]
    expect(read('history', { history: [{ threads }] }).problems).toEqual(['messages[0]: names no sender'])
  })
})

it('errors of one chunk of a history are kept beside the messages of another', () => {
  const errors = [{ code: 2593109 }]
  const threads = [{ id: '15550001111', messages: [text({ from: '15550001111' })] }]
  const { messages, accountEvents } = read('history', { history: [{ threads }, { errors }, 'odd'] })
  expect(messages).toHaveLength(1)
  expect(accountEvents.map(({ field, payload }) => [field, JSON.parse(payload).errors])).toEqual([
    ['history.errors', errors],
  ])
})

describe('an entry of contacts[]', () => {
  const contacts = [
    { wa_id: '15550002222', user_id: 'US.2', profile: { name: 'Two' } },
    { wa_id: 15550001111, user_id: 'US.1', profile: { name: 'One' } },
  ]
  const senderOf = (item: object) =>
    read('messages', { contacts, messages: [text(item)] }).messages[0]?.sender

  it('is the sender’s when it has the same id, as text or as JSON number, with a plus or without', () => {
    for (const from of ['15550001111', 15550001111, '+1 (555) 000-1111']) {
      expect(senderOf({ from })).toMatchObject({ waId: '15550001111', userId: 'US.1', profileName: 'One' })
    }
    expect(senderOf({ from: '+15550002222' })).toMatchObject({ userId: 'US.2' })
  })

  it('is nobody’s when its id is another one, whatever its place', () => {
    expect(senderOf({ from: '15550003333' })).toMatchObject({ userId: undefined, profileName: undefined })
  })
})

describe('the only contact', () => {
  const contacts = [{ wa_id: '5511987650002', user_id: 'BR.1', profile: { name: 'Bia' } }]

  it('is the sender’s when all messages have one sender', () => {
    const { messages } = read('messages', { contacts, messages: [text({ from: '551187650002' })] })
    expect(messages[0]?.sender).toMatchObject({ waId: '551187650002', userId: 'BR.1', profileName: 'Bia' })
  })

  it('is the sender’s when the messages spell their one sender in several ways', () => {
    const messages = ['551187650002', '+551187650002', 551187650002].map((from, i) =>
      text({ id: `${i}`, from }),
    )
    expect(read('messages', { contacts, messages }).messages.map((m) => m.sender.userId)).toEqual(
      Array(3).fill('BR.1'),
    )
  })

  it('is nobody’s when two people wrote, and neither is named by it', () => {
    const { messages } = read('messages', {
      contacts,
      messages: [text({ from: '15550001111' }), text({ id: 'b', from: '15550002222' }), 'odd'],
    })
    expect(messages.map((m) => m.sender.userId)).toEqual([undefined, undefined])
  })
})

it('a reaction, an edit and a revoke name their message; a text names none', () => {
  const items = [
    { type: 'reaction', reaction: { message_id: 'r' } },
    { type: 'edit', edit: { original_message_id: 'e' } },
    { type: 'revoke', revoke: { original_message_id: 'v' } },
    { type: 'reaction', reaction: { message_id: 77 } },
    { type: 'text', reaction: { message_id: 'no' } },
  ]
  const messages = items.map((item, i) => ({ id: `${i}`, from: '15550001111', ...item }))
  expect(read('messages', { messages }).messages.map((m) => m.target)).toEqual([
    ...['r', 'e', 'v', '77'],
    undefined,
  ])
})

it('an id that is a long JSON number stays digit for digit in an account event', () => {
  const value = '{"event":"PAUSED","message_template_id":123456789012345677}'
  const body = `{"object":"whatsapp_business_account","entry":[{"id":123456789012345679,"changes":[{"field":"message_template_status_update","value":${value}}]}]}`
  const { accountEvents } = extract({ id: 7, body: Buffer.from(body), receivedAt: new Date() })
  expect(accountEvents).toMatchObject([{ payload: value, wabaId: '123456789012345679' }])
})
