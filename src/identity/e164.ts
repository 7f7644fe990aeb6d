import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** The phone as E.164 (`+` and digits), or undefined when it is no possible number. Spaces and dashes are fine. */
export function toE164(phone: string): string | undefined {
  const parsed = parsePhoneNumberFromString(phone, { extract: false })
  return parsed?.isPossible() ? parsed.number : undefined
}
