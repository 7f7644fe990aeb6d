import { phoneDigits } from '../rules/phone-digits.ts'
import { asList, asObject, asText, type Json } from './fields.ts'

const ATTESTED = 'contact_request'

/**
 * The phones, as digits, of which Meta says that they are the sender's own: those of a contact card that answers a
 * request for contact information (`origin` is `contact_request`; docs/meta.md#names-of-a-person). Any other card says
 * nothing about its sender, and neither does a forwarded one.
 */
export function attestedPhonesOf(message: Json): string[] {
  if (message.type !== 'contacts' || isForwarded(message)) return []
  // Meta has documented `origin` in the card and, before, in the message.
  const cards = objectsOf(message.contacts).filter((card) => (card.origin ?? message.origin) === ATTESTED)
  const phones = cards.flatMap((card) => objectsOf(card.phones)).map(digitsOf)
  return [...new Set(phones.filter((phone) => phone !== undefined))]
}

function isForwarded({ context }: Json): boolean {
  const { forwarded, frequently_forwarded } = asObject(context) ?? {}
  return Boolean(forwarded) || Boolean(frequently_forwarded)
}

/** `phone` is a typed text, which tells its country only where it begins with a plus. */
function digitsOf({ wa_id, phone }: Json): string | undefined {
  const [waId, typed] = [asText(wa_id), asText(phone)]
  return phoneDigits(waId ?? (typed?.trim().startsWith('+') ? typed : ''))
}

function objectsOf(list: unknown): Json[] {
  return asList(list)
    .map(asObject)
    .filter((item) => item !== undefined)
}
