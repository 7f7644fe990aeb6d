import { phoneDigits } from '../rules/phone-digits.ts'
import { asId, asObject, type Json } from './fields.ts'

/** The surroundings that tell who sent a message of a coexistence number. */
export type Talk = {
  /** `metadata.display_phone_number`: the company's number, in any spelling. */
  display: unknown
  /** The id of the imported thread: the customer's. */
  thread?: unknown
}

/**
 * True for a message that the company sent, in `history` or among the echoes. The message itself tells, since Meta's own
 * example of a history has no `to` (docs/meta.md#echoes-standby-and-history): `from`, if it is the company's number; else
 * `history_context.from_me`; else a `to` that is not the company, or a `from` that is not the thread's customer.
 */
export function isFromCompany(message: Json, { display, thread }: Talk): boolean {
  const [own, from, to, customer] = [display, message.from, message.to, thread].map(digitsOf)
  if (from && from === own) return true
  const fromMe = asObject(message.history_context)?.from_me
  if (typeof fromMe === 'boolean') return fromMe
  if (to && to === own) return false
  if (to || asId(message.to_user_id)) return true
  return Boolean(from && customer && !isSamePhone(from, customer))
}

/** The digits of a value that may be a phone, also a JSON number; undefined for anything else. */
export function digitsOf(value: unknown): string | undefined {
  const text = asId(value)
  return text === undefined ? undefined : phoneDigits(text)
}

/** Spellings of one phone differ in prefixes and inserted digits; its last digits stay. */
const LAST_DIGITS = 7

function isSamePhone(a: string, b: string): boolean {
  return a.slice(-LAST_DIGITS) === b.slice(-LAST_DIGITS)
}
