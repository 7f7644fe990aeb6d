import { createHash } from 'node:crypto'
import { codesOf } from '../rules/meta-errors.ts'
import { contactOf } from './contacts.ts'
import type { Change } from './envelope.ts'
import {
  asList,
  asObject,
  asText,
  identifier,
  instantOf,
  type Json,
  knownIdOrNothing,
  optionalIdentifier,
  Problem,
  toJson,
  wordOf,
} from './fields.ts'
import type { AccountEvent, InboundMessage, IncomingCall, Nature, Preference, StatusUpdate } from './items.ts'
import { isNobody } from './names.ts'
import { callerOf, recipientOf, senderOf, statusRecipientOf, writerOf } from './sender.ts'
import { digitsOf, isFromCompany } from './speaker.ts'

/** The surroundings of an item: the value that contains it, the receipt, and its order. */
export type Around = { value: Json; receivedAt: Date; seq: number }

/**
 * A message that a customer sent, in `messages` or in `standby`; with the company as sender and a customer in `to`, an
 * echo all the same.
 * @throws Problem when it cannot be read
 */
export function readMessage(item: unknown, around: Around, nature: 'customer' | 'standby'): InboundMessage {
  const message = objectOf(item)
  const { contacts, messages, metadata } = around.value
  const from = digitsOf(message.from)
  const isOwn = from !== undefined && from === digitsOf(displayOf(metadata))
  if (isOwn && (message.to !== undefined || message.to_user_id !== undefined)) return readEcho(item, around)
  const contact = contactOf(message, asList(contacts), asList(messages))
  return messageOf(message, around, {
    nature: isOwn ? 'own' : natureOf(message, nature),
    direction: 'in',
    sender: senderOf(message, contact),
    contact: contact && toJson(contact),
  })
}

/**
 * A message among the echoes (`smb_message_echoes`): the company sent it from its Business App, unless it says otherwise.
 * It is not routed either way.
 * @throws Problem when it cannot be read
 */
export function readEcho(item: unknown, around: Around): InboundMessage {
  return named(readCoexistence(item, around, undefined, 'echo'))
}

/**
 * A message of the history. In a thread, the thread's id is the customer's; the content that completes a media
 * placeholder comes without a thread.
 * @throws Problem when it cannot be read
 */
export function readImport(item: unknown, around: Around, thread: unknown): InboundMessage {
  const message = readCoexistence(item, around, thread, 'import')
  return thread === undefined ? message : named(message)
}

/** @throws Problem for a message that names no customer */
function named(message: InboundMessage): InboundMessage {
  if (isNobody(message.sender)) throw new Problem('names no sender')
  return message
}

function readCoexistence(item: unknown, around: Around, thread: unknown, nature: Nature): InboundMessage {
  const message = objectOf(item)
  const isOwn = isFromCompany(message, { display: displayOf(around.value.metadata), thread })
  const sender = isOwn ? recipientOf(message, thread) : writerOf({ from: thread, ...message })
  return messageOf(message, around, { nature, direction: isOwn ? 'echo' : 'in', sender, contact: undefined })
}

function displayOf(metadata: unknown): unknown {
  return asObject(metadata)?.display_phone_number
}

/**
 * The status of a message that Usher sent.
 * @throws Problem when it cannot be read
 */
export function readStatus(item: unknown, { value, receivedAt }: Around): StatusUpdate {
  const status = objectOf(item)
  const errors = asList(status.errors)
  return {
    phoneId: numberOf(value),
    wamid: identifier(status.id, 'id'),
    status: wordOf(status.status),
    at: instantOf(status.timestamp, receivedAt),
    errors: errors.length > 0 ? toJson(errors) : undefined,
    codes: codesOf(errors),
    callback: asText(status.biz_opaque_callback_data),
    recipient: statusRecipientOf(status, asList(value.contacts)),
  }
}

/**
 * A stop or resume of marketing messages; undefined for any other value.
 * @throws Problem when it cannot be read
 */
export function readPreference(item: unknown, { value, receivedAt }: Around): Preference | undefined {
  const preference = objectOf(item)
  const wanted = preference.value
  if (wanted !== 'stop' && wanted !== 'resume') return undefined
  const names = { from: preference.wa_id, from_user_id: preference.user_id }
  const sender = senderOf(names, contactOf(names, asList(value.contacts)))
  return { phoneId: numberOf(value), sender, value: wanted, at: instantOf(preference.timestamp, receivedAt) }
}

/**
 * A call of a customer (docs/meta.md#other-fields); undefined for a call of the company, and for any other event of a call.
 * @throws Problem when the id of the caller or of the number is impossible
 */
export function readCall(item: unknown, { value, receivedAt }: Around): IncomingCall | undefined {
  const call = asObject(item)
  const metadata = asObject(value.metadata)
  if (call?.event !== 'connect' || call.direction === 'BUSINESS_INITIATED') return undefined
  const phoneId = optionalIdentifier(metadata?.phone_number_id, 'metadata.phone_number_id')
  const { from, from_user_id, from_parent_user_id } = call
  const isOwn = from !== undefined && digitsOf(from) === digitsOf(displayOf(metadata))
  const names = { from, from_user_id, from_parent_user_id }
  const sender = callerOf(names, contactOf(names, asList(value.contacts)))
  if (phoneId === undefined || isOwn || isNobody(sender)) return undefined
  return { phoneId, sender, at: instantOf(call.timestamp, receivedAt) }
}

/**
 * Any other field, kept whole.
 * @throws Problem when it is nested too deep, or when the id of its WABA or number is impossible
 */
export function readAccountEvent(change: Change, field: string, value: Json, receivedAt: Date): AccountEvent {
  const payload = toJson(value)
  const wabaId = optionalIdentifier(change.wabaId, 'WABA id') ?? ''
  const key = JSON.stringify([wabaId, change.time, field])
  return {
    wabaId,
    phoneId: optionalIdentifier(asObject(value.metadata)?.phone_number_id, 'metadata.phone_number_id'),
    field,
    receivedAt,
    digest: createHash('sha256').update(key).update(payload).digest(),
    payload,
  }
}

type Own = Pick<InboundMessage, 'nature' | 'direction' | 'sender' | 'contact'>

/** Each property by its name: copying objects took a tenth of the time of reading a delivery. */
function messageOf(message: Json, { value, receivedAt, seq }: Around, own: Own): InboundMessage {
  return {
    phoneId: numberOf(value),
    wamid: identifier(message.id, 'id'),
    type: wordOf(message.type),
    nature: own.nature,
    direction: own.direction,
    sentAt: instantOf(message.timestamp, receivedAt),
    receivedAt,
    seq,
    sender: own.sender,
    payload: toJson(message),
    contact: own.contact,
    target: targetOf(message),
  }
}

/** The message that a reaction, an edit or a revoke names; an impossible id counts as an unknown one (docs/meta.md#messages). */
function targetOf({ type, reaction, edit, revoke }: Json): string | undefined {
  if (type === 'reaction') return knownIdOrNothing(asObject(reaction)?.message_id)
  if (type === 'edit') return knownIdOrNothing(asObject(edit)?.original_message_id)
  return type === 'revoke' ? knownIdOrNothing(asObject(revoke)?.original_message_id) : undefined
}

function natureOf(message: Json, nature: 'customer' | 'standby'): Nature {
  if (message.type === 'system') return 'system'
  return asText(message.group_id) ? 'group' : nature
}

function objectOf(item: unknown): Json {
  const object = asObject(item)
  if (!object) throw new Problem('is not an object')
  return object
}

function numberOf(value: Json): string {
  return identifier(asObject(value.metadata)?.phone_number_id, 'metadata.phone_number_id')
}
