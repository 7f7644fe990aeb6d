import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A phone or `wa_id` as people write it: `+1 312 555 0123`. Any other text, such as a BSUID, stays as it is. */
export function formatPhone(text: string): string {
  const [, digits] = /^\+?(\d{6,15})$/.exec(text) ?? []
  const phone = digits && parsePhoneNumberFromString(`+${digits}`)
  return phone ? phone.formatInternational() : text
}
