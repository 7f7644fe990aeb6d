import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { phoneVariants } from './phone.ts'

/** A phone number in the form of libphonenumber's JSON, as the API takes it (`PhoneNumber`). */
export type PhoneParts = {
  countryCode?: number | undefined
  nationalNumber?: number | undefined
  italianLeadingZero?: boolean | undefined
  numberOfLeadingZeros?: number | undefined
  rawInput?: string | undefined
}

const MAX_DIGITS = 15

/** The phone as E.164 (`+` and digits); undefined when it is no possible number. Spaces and dashes are allowed. */
export function toE164(phone: string): string | undefined {
  const parsed = parsePhoneNumberFromString(phone, { extract: false })
  return parsed?.isPossible() ? parsed.number : undefined
}

/**
 * As `toE164`. Spellings that WhatsApp or people use and E.164 does not allow (Mexico's 521, Argentina's 15) stay
 * verbatim, for look-ups.
 */
export function toLookupPhone(phone: string): string | undefined {
  const bare = phone.replace(/[\s().-]/g, '')
  if (/^\+\d+$/.test(bare) && phoneVariants(bare.slice(1)).length > 0) return bare
  return toE164(phone)
}

/**
 * The parts as E.164, or undefined when they are no possible number. Country code and national number decide;
 * `rawInput`, in international form, counts only where they are not given.
 */
export function partsToE164(parts: PhoneParts): string | undefined {
  const { countryCode, nationalNumber, italianLeadingZero, numberOfLeadingZeros = 1, rawInput } = parts
  if (countryCode === undefined && nationalNumber === undefined) return toE164(rawInput ?? '')
  if (countryCode === undefined || nationalNumber === undefined) return undefined
  const zeros = italianLeadingZero ? numberOfLeadingZeros : 0
  // libphonenumber ignores a minus sign.
  if (countryCode < 1 || nationalNumber < 0 || zeros < 0 || zeros > MAX_DIGITS) return undefined
  return toE164(`+${countryCode}${'0'.repeat(zeros)}${nationalNumber}`)
}
