import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { isPossiblePhone, toLookupPhone } from './e164.ts'

/**
 * The phones (`+` and digits) that a typed text may mean: international with `+`, with `00` or with neither, or national
 * in one of the countries of `ownNumbers`. Empty when the text is no phone.
 */
export function phonesMeant(words: string, ownNumbers: string[]): string[] {
  if (!/^[+\d\s()./-]+$/.test(words)) return []
  const digits = words.replace(/\D/g, '').replace(/^00/, '')
  const abroad = toLookupPhone(`+${digits}`)
  const atHome = words.includes('+') ? [] : callingCodesOf(ownNumbers).map((code) => asDialled(words, code))
  return [...new Set([abroad, ...atHome].filter((phone) => phone !== undefined))]
}

function callingCodesOf(numbers: string[]): string[] {
  const codes = numbers.map(
    (number) => parsePhoneNumberFromString(number.replace(/^\+?/, '+'))?.countryCallingCode,
  )
  return [...new Set(codes.filter((code) => code !== undefined))]
}

function asDialled(words: string, defaultCallingCode: string): string | undefined {
  const parsed = parsePhoneNumberFromString(words, { defaultCallingCode, extract: false })
  return parsed && isPossiblePhone(parsed.number) ? parsed.number : undefined
}
