import { asObject, asText, cleanText, type Json, optionalIdentifier, Problem } from './fields.ts'

/** All names one message or status gives its customer; absent ones are undefined. */
export type Sender = {
  waId: string | undefined
  userId: string | undefined
  parentUserId: string | undefined
  profileName: string | undefined
}

const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/

/** The sender's entry of `contacts[]`: by id, never by index (several people, several messages, any order). */
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
  const froms = [asText(message.from), asText(contact?.wa_id)].filter((f) => f !== undefined)
  const userIds = [message.from_user_id, contact?.user_id, ...froms.filter((f) => BSUID.test(f))]
  if (froms.length === 0) userIds.push(system?.previous_user_id, system?.user_id)
  const sender = {
    waId: optionalIdentifier(
      froms.find((f) => !BSUID.test(f)) ?? (userIds.some(asText) ? undefined : system?.wa_id),
    ),
    userId: optionalIdentifier(userIds.find(asText)),
    parentUserId: optionalIdentifier(asText(message.from_parent_user_id) ?? contact?.parent_user_id),
    profileName: textOrNothing(asObject(contact?.profile)?.name),
  }
  if (!sender.waId && !sender.userId && !sender.parentUserId) throw new Problem('names no sender')
  return sender
}

function textOrNothing(value: unknown): string | undefined {
  const text = asText(value)
  return text === undefined ? undefined : cleanText(text)
}
