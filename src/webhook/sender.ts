import { asObject, asText, cleanText, type Json, optionalIdentifier, Problem } from './fields.ts'

/** Meta's names of one person; absent names are undefined. */
export type Names = { waId: string | undefined; userId: string | undefined; parentUserId: string | undefined }

/** The sender of a message. `renamedTo`: further names from now on, which a `system` message announced. */
export type Sender = Names & { profileName: string | undefined; renamedTo?: Names }

const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/

/** The sender's entry of `contacts[]`, matched by id: with several people, the order of the entries means nothing. */
export function contactOf(message: Json, contacts: unknown[]): Json | undefined {
  const known = contacts.map(asObject).filter((c) => c !== undefined)
  const from = asText(message.from)
  const userId = asText(message.from_user_id)
  const match = known.find(
    (c) => (from && c.wa_id === from) || (userId && c.user_id === userId) || (from && c.user_id === from),
  )
  return match ?? (known.length === 1 && !from && !userId ? known[0] : undefined)
}

/**
 * Phone and business-scoped ids of the sender; some gateways put a BSUID where the phone belongs.
 * @throws Problem when the message names nobody.
 */
export function senderOf(message: Json, contact: Json | undefined): Sender {
  const system = asObject(message.system)
  if (system) return renamedSender(message, system)
  const names = namesOf({
    phones: [message.from, contact?.wa_id],
    userIds: [message.from_user_id, contact?.user_id],
    parents: [message.from_parent_user_id, contact?.parent_user_id],
  })
  return { ...someone(names), profileName: textOrNothing(asObject(contact?.profile)?.name) }
}

/** The customer of a message that the Business App sent: `to`, or the thread's id. */
export function recipientOf(message: Json, thread?: unknown): Sender {
  const names = namesOf({ phones: [message.to, thread], userIds: [message.to_user_id], parents: [] })
  return { ...someone(names), profileName: undefined }
}

/** The recipient of a message, where a status gives several names; undefined for a group. */
export function statusRecipientOf(status: Json, contacts: unknown[]): Names | undefined {
  if (status.recipient_type === 'group') return undefined
  const ids = { from: status.recipient_id, from_user_id: status.recipient_user_id }
  const contact = contactOf(ids, contacts)
  const names = namesOf({
    phones: [ids.from, contact?.wa_id],
    userIds: [ids.from_user_id, contact?.user_id],
    parents: [status.recipient_parent_user_id, contact?.parent_user_id],
  })
  const given = [names.waId, names.userId, names.parentUserId].filter((name) => name !== undefined)
  return given.length > 1 ? names : undefined
}

/**
 * `user_changed_number` and `user_changed_user_id` (docs/meta.md#names-of-a-person): `from` and `previous_user_id` are
 * the names until now, `wa_id` and `user_id` the names from now on. The body is text of the user and is never read.
 */
function renamedSender(message: Json, system: Json): Sender {
  const now = namesOf({ phones: [system.wa_id], userIds: [system.user_id], parents: [] })
  const stillSame = message.from_user_id === system.user_id ? undefined : message.from_user_id
  const before = namesOf({
    phones: [message.from],
    userIds: [system.previous_user_id, stillSame],
    parents: [message.from_parent_user_id],
  })
  if (isNobody(before)) return { ...someone(now), profileName: undefined }
  return { ...before, profileName: undefined, ...(!isNobody(now) && { renamedTo: now }) }
}

function namesOf(given: { phones: unknown[]; userIds: unknown[]; parents: unknown[] }): Names {
  const phones = given.phones.map(asText).filter((p) => p !== undefined)
  const userIds = [...given.userIds.map(asText), ...phones.filter((p) => BSUID.test(p))]
  return {
    waId: optionalIdentifier(phones.find((p) => !BSUID.test(p))),
    userId: optionalIdentifier(userIds.find((id) => id !== undefined)),
    parentUserId: optionalIdentifier(given.parents.find(asText)),
  }
}

function isNobody(names: Names): boolean {
  return !names.waId && !names.userId && !names.parentUserId
}

function someone(names: Names): Names {
  if (isNobody(names)) throw new Problem('names no sender')
  return names
}

function textOrNothing(value: unknown): string | undefined {
  const text = asText(value)
  return text === undefined ? undefined : cleanText(text)
}
