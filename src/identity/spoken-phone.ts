import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { toLookupPhone } from './e164.ts'

/**
 * The phones (`+` and digits) that somebody may mean by these words: international with `+`, with `00` or with
 * neither, or as people at home write it in the countries of `ownNumbers`. None when it is no phone at all.
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
  return parsed?.isPossible() ? parsed.number : undefined
}
