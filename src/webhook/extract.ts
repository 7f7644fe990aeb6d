import { createHash } from 'node:crypto'
import { type Change, parseEnvelope } from './envelope.ts'
import {
  asList,
  asObject,
  asText,
  cleanText,
  identifier,
  instantOf,
  type Json,
  Problem,
  requireList,
  toJson,
} from './fields.ts'
import { contactOf, type Sender, senderOf } from './sender.ts'

/**
 * One message a customer's phone sent. `nature`: `customer` takes part in routing, `system` (WhatsApp speaks:
 * number changed and the like) is shown but changes nothing, `group` belongs to no one-to-one chatroom.
 */
export type InboundMessage = {
  phoneId: string
  wamid: string
  type: string
  nature: 'customer' | 'system' | 'group'
  sentAt: Date
  receivedAt: Date
  seq: number
  sender: Sender
  payload: string
  contact: string | undefined
}

/** What became of a message of ours. Unknown status words are kept out, not errors (Meta adds some). */
export type StatusUpdate = {
  phoneId: string
  wamid: string
  status: string
  at: Date
  errors: string | undefined
  /** `biz_opaque_callback_data`: of our sends, the outbox row. */
  callback: string | undefined
}

/** A webhook field that is no message. `digest` makes its redelivery recognisable. */
export type AccountEvent = {
  wabaId: string
  phoneId: string | undefined
  field: string
  receivedAt: Date
  digest: Buffer
  payload: string
}

/** The customer asked for no more (or again for) marketing messages from a number. */
export type Preference = { phoneId: string; sender: Sender; value: 'stop' | 'resume'; at: Date }

export type Extraction = {
  deliveryId: number
  messages: InboundMessage[]
  statuses: StatusUpdate[]
  accountEvents: AccountEvent[]
  preferences: Preference[]
  problems: string[]
}

/** Room for the receive order inside one delivery; Meta sends at most 1,000 updates. */
const SEQ_STRIDE = 4096

/**
 * Takes one delivery apart into messages, statuses and account events, each standing for itself: an item that
 * cannot be read becomes a line in `problems` (its place and what is wrong, never its content) and hurts no
 * other. Types, fields and keys that Meta invents later pass through whole.
 */
export function extract(delivery: { id: number; body: Buffer; receivedAt: Date }): Extraction {
  const envelope = parseEnvelope(delivery.body)
  const out: Extraction = {
    deliveryId: delivery.id,
    messages: [],
    statuses: [],
    accountEvents: [],
    preferences: [],
    problems: envelope.problems,
  }
  for (const change of envelope.changes) {
    attempt(out, change.field, () => readChange(change, delivery.receivedAt, out))
  }
  return out
}

/** True for the placeholder that coexistence numbers send beside the real content, under the same wamid. */
export function isGhost(type: string): boolean {
  return type === 'unsupported' || type === 'unknown'
}

/** Runs one reading; a Problem it throws becomes a line that names the place, and the delivery goes on. */
function attempt(out: Extraction, place: string, read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    out.problems.push(`${place}: ${error.message}`)
  }
}

function readChange(change: Change, receivedAt: Date, out: Extraction): void {
  const { field, value } = change
  const nothingKnown = !value.messages && !value.statuses && !value.errors
  if (field !== 'messages' || nothingKnown) {
    out.accountEvents.push(accountEvent(change, field, value, receivedAt))
    if (field === 'user_preferences') readPreferences(value, receivedAt, out)
    return
  }
  attempt(out, field, () => {
    requireList(value.messages, 'messages').forEach((item, i) => {
      attempt(out, `messages[${i}]`, () => out.messages.push(readMessage(item, value, receivedAt, out)))
    })
  })
  attempt(out, field, () => {
    requireList(value.statuses, 'statuses').forEach((item, i) => {
      attempt(out, `statuses[${i}]`, () => out.statuses.push(readStatus(item, value, receivedAt)))
    })
  })
  if (value.errors) {
    const errors = { metadata: value.metadata, errors: value.errors }
    out.accountEvents.push(accountEvent(change, 'messages.errors', errors, receivedAt))
  }
}

/** Meta adds categories and values; those it does not define yet are kept as account events and change nothing. */
function readPreferences(value: Json, receivedAt: Date, out: Extraction): void {
  asList(value.user_preferences).forEach((item, i) => {
    attempt(out, `user_preferences[${i}]`, () => {
      const preference = asObject(item)
      if (!preference) throw new Problem('is not an object')
      const { value: wanted } = preference
      if (wanted !== 'stop' && wanted !== 'resume') return
      const names = { from: preference.wa_id, from_user_id: preference.user_id }
      const sender = senderOf(names, contactOf(names, asList(value.contacts)))
      const at = instantOf(preference.timestamp, receivedAt)
      out.preferences.push({ phoneId: numberOf(value), sender, value: wanted, at })
    })
  })
}

function readMessage(item: unknown, value: Json, receivedAt: Date, out: Extraction): InboundMessage {
  const message = asObject(item)
  if (!message) throw new Problem('is not an object')
  const type = asText(message.type) ?? 'unknown'
  const contact = contactOf(message, asList(value.contacts))
  return {
    phoneId: numberOf(value),
    wamid: identifier(message.id, 'id'),
    type: cleanText(type),
    nature: natureOf(message, type),
    sentAt: instantOf(message.timestamp, receivedAt),
    receivedAt,
    seq: out.deliveryId * SEQ_STRIDE + Math.min(out.messages.length, SEQ_STRIDE - 1),
    sender: senderOf(message, contact),
    payload: toJson(message),
    contact: contact && toJson(contact),
  }
}

function readStatus(item: unknown, value: Json, receivedAt: Date): StatusUpdate {
  const status = asObject(item)
  if (!status) throw new Problem('is not an object')
  const errors = asList(status.errors)
  return {
    phoneId: numberOf(value),
    wamid: identifier(status.id, 'id'),
    status: cleanText(asText(status.status) ?? 'unknown'),
    at: instantOf(status.timestamp, receivedAt),
    errors: errors.length > 0 ? toJson(errors) : undefined,
    callback: asText(status.biz_opaque_callback_data),
  }
}

function accountEvent(change: Change, field: string, value: Json, receivedAt: Date): AccountEvent {
  const payload = toJson(value)
  const key = JSON.stringify([change.wabaId, change.time, field])
  return {
    wabaId: cleanText(change.wabaId),
    phoneId: asText(asObject(value.metadata)?.phone_number_id),
    field: cleanText(field),
    receivedAt,
    digest: createHash('sha256').update(key).update(payload).digest(),
    payload,
  }
}

function natureOf(message: Json, type: string): InboundMessage['nature'] {
  if (type === 'system') return 'system'
  return asText(message.group_id) ? 'group' : 'customer'
}

function numberOf(value: Json): string {
  return identifier(asObject(value.metadata)?.phone_number_id, 'metadata.phone_number_id')
}
