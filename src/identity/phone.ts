/**
 * Other spellings that the same phone may have, as digits without a plus; none for most countries. WhatsApp's `wa_id`
 * is not E.164: it drops Brazil's ninth digit for older accounts, has Mexico's and Argentina's mobile prefix or not, and
 * keeps numbers as they were before a country changed them (docs/meta.md#phone-numbers). Spellings serve look-ups only,
 * and count only when one customer fits; stored names stay verbatim.
 */
export function phoneVariants(digits: string): string[] {
  if (!MAY_VARY.test(digits)) return []
  const variants = COUNTRIES.flatMap((country) => country(digits))
  return [...new Set(variants)].filter((variant) => variant !== digits)
}

/** The country codes of `COUNTRIES`: most phones have none of them. */
const MAY_VARY = /^(5[245]|2(25|29|41)|3(77|8[36]))/
const COUNTRIES = [brazil, mexico, argentina, ivoryCoast, benin, gabon, kosovo]

/** Phones, as digits, that are not this one but share a spelling with it. */
export function rivalPhones(digits: string): string[] {
  if (!digits.startsWith('225')) return []
  const [, , eight] = IVORY_COAST_NEW.exec(digits) ?? []
  return eight ? ivoryCoast(`225${eight}`).filter((rival) => rival !== digits) : []
}

/** Mobile numbers of eight digits (first digit 6 to 9) got a 9 in front; landlines (2 to 5) never did. */
function brazil(digits: string): string[] {
  const [, area, number] = /^55([1-9][1-9])9?([6-9]\d{7})$/.exec(digits) ?? []
  return area && number ? [`55${area}${number}`, `55${area}9${number}`] : []
}

/** Mobile numbers had a 1 after the country code until 2019; WhatsApp still uses it for many accounts. */
function mexico(digits: string): string[] {
  const [, number] = /^521?([2-9]\d{9})$/.exec(digits) ?? []
  return number ? [`52${number}`, `521${number}`] : []
}

/** Mobile numbers are dialled with a 9 after the country code from abroad, and with a 15 after the area code (2 to 4 digits) at home. */
function argentina(digits: string): string[] {
  const [, rest] = /^549?([123]\d{9}|[123]\d{11})$/.exec(digits) ?? []
  if (!rest) return []
  return coresOf(rest).flatMap((core) => [
    `54${core}`,
    `549${core}`,
    ...AREA_LENGTHS.map((n) => `54${with15(core, n)}`),
  ])
}

const IVORY_COAST_NEW = /^225(01|05|07|21|25|27)(\d{8})$/
const IVORY_COAST_PREFIXES = ['01', '05', '07', '21', '25', '27']

/**
 * In 2021 the eight digits of a number got the prefix of its operator in front: mobile 01, 05 or 07, fixed 21, 25 or 27.
 * The old digits do not always tell which, since the same eight digits have been given out anew behind another prefix.
 */
function ivoryCoast(digits: string): string[] {
  const [, , eight] = IVORY_COAST_NEW.exec(digits) ?? []
  if (eight) return [`225${eight}`]
  const [, old] = /^225(\d{8})$/.exec(digits) ?? []
  return old ? IVORY_COAST_PREFIXES.map((prefix) => `225${prefix}${old}`) : []
}

/** In 2024 the eight digits of each number got 01 in front. */
function benin(digits: string): string[] {
  const [, eight] = /^229(?:01)?(\d{8})$/.exec(digits) ?? []
  return eight ? [`229${eight}`, `22901${eight}`] : []
}

/** In 2019 the seven digits of a number, which a zero may precede, got the digit of their operator in front. */
function gabon(digits: string): string[] {
  const [, seven] =
    /^2410?([124-7]\d{6})$/.exec(digits) ?? /^241(11\d{6}|6[256]\d{6}|7[47]\d{6})$/.exec(digits) ?? []
  if (!seven) return []
  const old = seven.slice(-7)
  return [`241${old}`, `2410${old}`, `241${GABON_OPERATORS[old.charAt(0)]}${old}`]
}

const GABON_OPERATORS: Record<string, string> = { 1: '1', 2: '6', 4: '7', 5: '6', 6: '6', 7: '7' }

/** Until 2017 mobile numbers of Kosovo had the codes of Monaco and of Slovenia. */
function kosovo(digits: string): string[] {
  const [, monaco] = /^3(?:77|83)(4[45]\d{6})$/.exec(digits) ?? []
  if (monaco) return [`377${monaco}`, `383${monaco}`]
  const [, slovenia] = /^38[36](4[39]\d{6})$/.exec(digits) ?? []
  return slovenia ? [`386${slovenia}`, `383${slovenia}`] : []
}

const AREA_LENGTHS = [2, 3, 4]

function with15(core: string, areaLength: number): string {
  return `${core.slice(0, areaLength)}15${core.slice(areaLength)}`
}

/** Area code and number, ten digits, without the 15 between them. */
function coresOf(rest: string): string[] {
  if (rest.length === 10) return [rest]
  const lengths = AREA_LENGTHS.filter((n) => rest.slice(n, n + 2) === '15')
  return lengths.map((n) => rest.slice(0, n) + rest.slice(n + 2))
}
