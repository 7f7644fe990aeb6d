import { asId, asList, asObject, asText, attempt, type Json, toJson } from './fields.ts'
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
 * The sender's entry of `contacts[]`, matched by id: with several people, the order of the entries means nothing. A single
 * entry is the sender's when all of `messages` have one sender, also where it spells the sender's phone in another way.
 */
export function contactOf(message: Json, contacts: unknown[], messages: unknown[] = []): Json | undefined {
  const known = contacts.map(asObject).filter((c) => c !== undefined)
  const from = asText(message.from)
  const userId = asText(message.from_user_id)
  const match = known.find(
    (c) => (from && c.wa_id === from) || (userId && c.user_id === userId) || (from && c.user_id === from),
  )
  // The list counts with its odd entries: an odd entry may be the sender's.
  if (match || contacts.length !== 1) return match
  return (!from && !userId) || haveOneSender(messages) ? known[0] : undefined
}

function haveOneSender(messages: unknown[]): boolean {
  const [first, ...others] = messages.map(asObject)
  const isSame = (key: string) => others.every((other) => asId(other?.[key]) === asId(first?.[key]))
  return messages.length > 0 && isSame('from') && isSame('from_user_id')
}
