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

/** `+` and digits, as many as a `wa_id` may have. */
const DIGITS = /^\+\d{5,20}$/

/**
 * As `toE164`, for look-ups. Spellings that E.164 does not know, such as Mexico's 521 or the eight digits that numbers of
 * Ivory Coast once had, stay verbatim: WhatsApp may still use them.
 */
export function toLookupPhone(phone: string): string | undefined {
  const bare = phone.replace(/[\s().-]/g, '')
  if (isOtherSpelling(bare)) return bare
  return toE164(phone) ?? (DIGITS.test(bare) ? bare : undefined)
}

/** True for a phone that is possible in E.164, or is another spelling of one. */
export function isPossiblePhone(phone: string): boolean {
  return isOtherSpelling(phone) || toE164(phone) !== undefined
}

function isOtherSpelling(phone: string): boolean {
  return DIGITS.test(phone) && phoneVariants(phone.slice(1)).length > 0
}

/** The phone as E.164, or the reason why it is not known, in words that name no number. */
export type ReadPhone = { phone: string } | { fault: string | undefined }

/**
 * The parts as E.164. Country code and national number decide; `rawInput` counts where they are not given, and where it
 * tells of leading zeros: a JSON number has none, and in Italy and some other countries they belong to the number.
 */
export function partsToE164(parts: PhoneParts): ReadPhone {
  const { countryCode, nationalNumber, italianLeadingZero, numberOfLeadingZeros = 1, rawInput } = parts
  if (countryCode === undefined && nationalNumber === undefined) return readPhone(toE164(rawInput ?? ''))
  if (countryCode === undefined || nationalNumber === undefined) return readPhone(undefined)
  const zeros = italianLeadingZero ? numberOfLeadingZeros : 0
  // libphonenumber ignores a minus sign.
  if (countryCode < 1 || nationalNumber < 0 || zeros < 0 || zeros > MAX_DIGITS) return readPhone(undefined)
  const given = toE164(`+${countryCode}${'0'.repeat(zeros)}${nationalNumber}`)
  if (zeros > 0) return readPhone(given)
  const typed = typedWithZeros(countryCode, nationalNumber, rawInput)
  if (typed !== undefined)
    return italianLeadingZero === false ? { fault: NO_ZERO_BUT_TYPED } : { phone: typed }
  if (italianLeadingZero === undefined && lacksZero(countryCode, nationalNumber))
    return { fault: MAY_LACK_ZERO }
  return readPhone(given)
}

const NO_ZERO_BUT_TYPED = 'italianLeadingZero is false, but the number in rawInput begins with a zero.'
const MAY_LACK_ZERO =
  'nationalNumber seems to lack its leading zero: italianLeadingZero or rawInput must tell whether it has one.'

function readPhone(phone: string | undefined): ReadPhone {
  return phone === undefined ? { fault: undefined } : { phone }
}

/** The typed number, if it is the given one with leading zeros. */
function typedWithZeros(countryCode: number, nationalNumber: number, rawInput = ''): string | undefined {
  const options = { defaultCallingCode: String(countryCode), extract: false }
  const typed = parsePhoneNumberFromString(rawInput, options)
  const withZeros = new RegExp(`^\\+${countryCode}0+${nationalNumber}$`)
  return typed?.isPossible() && withZeros.test(typed.number) ? typed.number : undefined
}

/** True for a number that exists only with a zero in front. */
function lacksZero(countryCode: number, nationalNumber: number): boolean {
  const isValid = (zero: string) =>
    parsePhoneNumberFromString(`+${countryCode}${zero}${nationalNumber}`)?.isValid() ?? false
  return !isValid('') && isValid('0')
}
