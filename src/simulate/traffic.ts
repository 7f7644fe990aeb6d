import { randomUUID } from 'node:crypto'

/** One POST as Meta would send it, and what it carries. `isRedelivery`: it has the same bytes as an earlier one. */
export type Delivery = {
  body: Buffer<ArrayBuffer>
  messages: number
  statuses: number
  isRedelivery: boolean
}

export type TrafficOptions = {
  phoneId: string
  wabaId: string
  /** The number of customers. They are invented, and the same in every run. */
  customers: number
  /** Returns a number from 0 up to but not including 1, as `Math.random` does. */
  random: () => number
  /** The current time in milliseconds. */
  now: () => number
}

type Content = { messages?: object[]; statuses?: object[]; contacts?: object[] }

/** Shares of all deliveries. */
const REDELIVERIES = 0.05
const STATUSES = 0.35
const SEVERAL_MESSAGES = 0.1
/** How many deliveries can still be redelivered. */
const KEPT_DELIVERIES = 100
const TEXTS = ['Hello?', 'Is my order on its way?', 'Thank you!', 'Can I pay by card?', 'Please call me back']

/** Creates an endless generator of deliveries: messages of many types, one or several in a POST; statuses; redeliveries. */
export function createTraffic(options: TrafficOptions): () => Delivery {
  const { random } = options
  const earlier: Delivery[] = []
  return () => {
    if (earlier.length > 0 && random() < REDELIVERIES)
      return { ...pick(earlier, random), messages: 0, statuses: 0, isRedelivery: true }
    const delivery = random() < STATUSES ? statusesOf(options) : messagesOf(options)
    if (earlier.length === KEPT_DELIVERIES) earlier.shift()
    earlier.push(delivery)
    return delivery
  }
}

function messagesOf(options: TrafficOptions): Delivery {
  const { random, customers, now } = options
  const count = random() < SEVERAL_MESSAGES ? 2 + Math.floor(random() * 4) : 1
  const people = Array.from({ length: count }, () => Math.floor(random() * customers))
  const messages = people.map((person) => ({
    from: waIdOf(person),
    id: newWamid(),
    timestamp: seconds(now()),
    ...pick(CONTENTS, random)(random),
  }))
  const contacts = [...new Set(people)].map((person) => ({
    profile: { name: `Customer ${person}` },
    wa_id: waIdOf(person),
  }))
  return { body: post(options, { contacts, messages }), messages: count, statuses: 0, isRedelivery: false }
}

/** The statuses of one sent message: the first one, two or three of `sent`, `delivered` and `read`, in one POST. */
function statusesOf(options: TrafficOptions): Delivery {
  const { random, customers, now } = options
  const id = newWamid()
  const recipient_id = waIdOf(Math.floor(random() * customers))
  const states = ['sent', 'delivered', 'read'].slice(0, 1 + Math.floor(random() * 3))
  const pricing = { billable: true, pricing_model: 'PMP', category: 'service', type: 'regular' }
  const statuses = states.map((status) => ({ id, status, timestamp: seconds(now()), recipient_id, pricing }))
  return { body: post(options, { statuses }), messages: 0, statuses: statuses.length, isRedelivery: false }
}

function post({ phoneId, wabaId }: TrafficOptions, content: Content): Buffer<ArrayBuffer> {
  const metadata = { display_phone_number: '15550783881', phone_number_id: phoneId }
  const value = { messaging_product: 'whatsapp', metadata, ...content }
  const entry = [{ id: wabaId, changes: [{ value, field: 'messages' }] }]
  return Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }))
}

const media = (mime_type: string) => ({ id: digits(), mime_type, sha256: randomUUID().replaceAll('-', '') })
const text = (random: () => number) => ({ type: 'text', text: { body: pick(TEXTS, random) } })

/** Contents of inbound messages. Text is as frequent as all other types together. */
const CONTENTS: ((random: () => number) => { type: string })[] = [
  ...Array.from({ length: 8 }, () => text),
  () => ({ type: 'image', image: { ...media('image/jpeg'), caption: 'Like this one' } }),
  () => ({ type: 'audio', audio: { ...media('audio/ogg; codecs=opus'), voice: true } }),
  () => ({ type: 'document', document: { ...media('application/pdf'), filename: 'invoice.pdf' } }),
  () => ({ type: 'sticker', sticker: { ...media('image/webp'), animated: false } }),
  () => ({ type: 'location', location: { latitude: 52.52, longitude: 13.405, name: 'Alexanderplatz' } }),
  () => ({
    type: 'contacts',
    contacts: [{ name: { formatted_name: 'Ana B', first_name: 'Ana' }, phones: [] }],
  }),
  () => ({ type: 'reaction', reaction: { message_id: newWamid(), emoji: '👍' } }),
  () => ({
    type: 'interactive',
    interactive: { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes, please' } },
  }),
]

function pick<T>(list: readonly T[], random: () => number): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new RangeError('random() must be from 0 up to 1')
  return item
}

const waIdOf = (person: number) => `1555${String(1_000_000 + (person % 9_000_000))}`
const newWamid = () => `wamid.${Buffer.from(randomUUID()).toString('base64url')}`
const digits = () => String(Math.floor(Math.random() * 1e15))
const seconds = (ms: number) => String(Math.floor(ms / 1_000))
