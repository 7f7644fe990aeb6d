import { createHash } from 'node:crypto'
import type { Change } from './envelope.ts'
import {
  asList,
  asObject,
  asText,
  cleanText,
  identifier,
  instantOf,
  type Json,
  Problem,
  toJson,
} from './fields.ts'
import type { AccountEvent, InboundMessage, Nature, Preference, StatusUpdate } from './items.ts'
import { contactOf, recipientOf, type Sender, senderOf, statusRecipientOf } from './sender.ts'

/** The surroundings of an item: the value that contains it, the receipt, and its order. */
export type Around = { value: Json; receivedAt: Date; seq: number }

/**
 * A message that a customer sent, in `messages` or in `standby`.
 * @throws Problem when it cannot be read
 */
export function readMessage(item: unknown, around: Around, nature: 'customer' | 'standby'): InboundMessage {
  const message = objectOf(item)
  const contact = contactOf(message, asList(around.value.contacts))
  const sender = senderOf(message, contact)
  const own = natureOf(message, nature)
  return {
    ...common(message, around),
    nature: own,
    direction: 'in',
    sender,
    contact: contact && toJson(contact),
  }
}

/**
 * A message that the company sent from its Business App (`smb_message_echoes`).
 * @throws Problem when it cannot be read
 */
export function readEcho(item: unknown, around: Around): InboundMessage {
  const message = objectOf(item)
  const sender = recipientOf(message)
  return { ...common(message, around), nature: 'echo', direction: 'echo', sender, contact: undefined }
}

/**
 * A message of an imported thread, whose id is the customer's. Messages of the company name the customer in `to`.
 * @throws Problem when it cannot be read
 */
export function readImport(item: unknown, around: Around, thread: unknown): InboundMessage {
  const message = objectOf(item)
  const own = asText(message.to) !== undefined || asText(message.to_user_id) !== undefined
  const sender: Sender = own
    ? recipientOf(message, thread)
    : senderOf({ from: thread, ...message }, undefined)
  const direction = own ? 'echo' : 'in'
  return { ...common(message, around), nature: 'import', direction, sender, contact: undefined }
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
    status: cleanText(asText(status.status) ?? 'unknown'),
    at: instantOf(status.timestamp, receivedAt),
    errors: errors.length > 0 ? toJson(errors) : undefined,
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
 * Any other field, kept whole.
 * @throws Problem when it is nested too deep
 */
export function readAccountEvent(change: Change, field: string, value: Json, receivedAt: Date): AccountEvent {
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

function common(message: Json, { value, receivedAt, seq }: Around) {
  return {
    phoneId: numberOf(value),
    wamid: identifier(message.id, 'id'),
    type: cleanText(asText(message.type) ?? 'unknown'),
    sentAt: instantOf(message.timestamp, receivedAt),
    receivedAt,
    seq,
    payload: toJson(message),
  }
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
