import { attestedPhonesOf } from './attested-phones.ts'
import { contactOf } from './contacts.ts'
import { asObject, asText, cleanText, type Json } from './fields.ts'
import { type Names, namesOf, someone } from './names.ts'
import { type Rename, readRename } from './rename.ts'

/**
 * The sender of a message. `rename`: a `system` message announced other names. `attestedPhones`: phones of a sender who
 * shows none, as digits, that Meta says are the sender's own.
 */
export type Sender = Names & {
  profileName: string | undefined
  rename?: Rename
  attestedPhones?: string[]
}

/**
 * Phone and business-scoped ids of the sender; some gateways put a BSUID where the phone belongs.
 * @throws Problem when the message names nobody.
 */
export function senderOf(message: Json, contact: Json | undefined): Sender {
  const system = asObject(message.system)
  if (system) return { ...readRename(message, system, contact), profileName: undefined }
  const caller = callerOf(message, contact)
  someone(caller)
  const attestedPhones = caller.waId ? [] : attestedPhonesOf(message)
  return { ...caller, ...(attestedPhones.length > 0 && { attestedPhones }) }
}

/** The customer who called, or wrote; without any name where Meta gives none. */
export function callerOf(call: Json, contact: Json | undefined): Sender {
  const names = namesOf({
    phones: [call.from, contact?.wa_id],
    userIds: [call.from_user_id, contact?.user_id],
    parents: [call.from_parent_user_id, contact?.parent_user_id],
  })
  return { ...names, profileName: textOrNothing(asObject(contact?.profile)?.name) }
}

/**
 * The customer of a message that the Business App sent: `to`, or the thread's id; without any name where Meta gives none,
 * as for the content of a media placeholder.
 */
export function recipientOf(message: Json, thread?: unknown): Sender {
  const names = namesOf({ phones: [message.to, thread], userIds: [message.to_user_id], parents: [] })
  return { ...names, profileName: undefined }
}

/** The customer who wrote a message of a coexistence number; without any name where Meta gives none. */
export function writerOf(message: Json): Sender {
  const { from, from_user_id, from_parent_user_id } = message
  const names = namesOf({ phones: [from], userIds: [from_user_id], parents: [from_parent_user_id] })
  return { ...names, profileName: undefined }
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

function textOrNothing(value: unknown): string | undefined {
  const text = asText(value)
  return text === undefined ? undefined : cleanText(text)
}
