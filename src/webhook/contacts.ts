import { phoneDigits } from '../rules/phone-digits.ts'
import { asId, asList, asObject, attempt, type Json, toJson } from './fields.ts'
import { namesOf } from './names.ts'

/**
 * The value with null in place of each entry of `contacts[]` that cannot be kept or that has an impossible id; each such
 * entry becomes a problem. The messages beside it are then read without it.
 */
export function withReadableContacts(value: Json, problems: string[]): Json {
  const contacts = asList(value.contacts)
  const readable = contacts.map((contact, i) => {
    let read: unknown = null
    attempt(problems, `contacts[${i}]`, () => {
      checkContact(asObject(contact))
      read = contact
    })
    return read
  })
  return contacts.length === 0 ? value : { ...value, contacts: readable }
}

function checkContact(contact: Json | undefined): void {
  if (!contact) return
  const { wa_id, user_id, parent_user_id } = contact
  namesOf({ phones: [wa_id], userIds: [user_id], parents: [parent_user_id] })
  toJson(contact)
}

/**
 * The sender's entry of `contacts[]`, matched by id: with several people, the order of the entries means nothing. Ids match
 * as text or JSON number, and phones by their digits. A single entry is the sender's when all of `messages` have one
 * sender, also where it spells the sender's phone with other digits.
 */
export function contactOf(message: Json, contacts: unknown[], messages: unknown[] = []): Json | undefined {
  const known = contacts.map(asObject).filter((c) => c !== undefined)
  const { from, from_user_id: userId } = message
  const match = known.find(
    (c) => isSameId(from, c.wa_id) || isSameId(userId, c.user_id) || isSameId(from, c.user_id),
  )
  // The list counts with its odd entries: an odd entry may be the sender's.
  if (match || contacts.length !== 1) return match
  const isNameless = asId(from) === undefined && asId(userId) === undefined
  return isNameless || haveOneSender(messages) ? known[0] : undefined
}

function haveOneSender(messages: unknown[]): boolean {
  const [first, ...others] = messages.map(asObject)
  const isSame = (key: string) =>
    others.every(
      (other) => isSameId(first?.[key], other?.[key]) || !(asId(first?.[key]) ?? asId(other?.[key])),
    )
  return messages.length > 0 && isSame('from') && isSame('from_user_id')
}

function isSameId(a: unknown, b: unknown): boolean {
  const [one, other] = [asId(a), asId(b)]
  if (one === undefined || other === undefined) return false
  return one === other || (phoneDigits(one) ?? one) === (phoneDigits(other) ?? other)
}
