import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { toLookupPhone } from './e164.ts'

/**
 * The phones (`+` and digits) that somebody may mean by these words: international with `+`, with `00` or with
 * neither, or as people at home write it in the countries of `ownNumbers`. None when it is no phone at all.
 */
export function phonesMeant(words: string, ownNumbers: string[]): string[] {
  if (!/^[+\d\s()./-]+$/.test(words)) return []
  const digits = words.replace(/\D/g, '').replace(/^00/, '')
  const abroad = toLookupPhone(`+${digits}`)
  const atHome = words.includes('+')
    ? []
    : countriesOf(ownNumbers).map((country) => asDialled(words, country))
  return [...new Set([abroad, ...atHome].filter((phone) => phone !== undefined))]
}

function countriesOf(numbers: string[]): CountryCode[] {
  const countries = numbers.map((number) => parsePhoneNumberFromString(number.replace(/^\+?/, '+'))?.country)
  return [...new Set(countries.filter((country) => country !== undefined))]
}

function asDialled(words: string, country: CountryCode): string | undefined {
  const parsed = parsePhoneNumberFromString(words, { defaultCountry: country, extract: false })
  return parsed?.isPossible() ? parsed.number : undefined
}
