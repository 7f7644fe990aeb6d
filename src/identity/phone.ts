/**
 * Other spellings that the same phone may have, as digits without a plus; none for most countries. WhatsApp's `wa_id`
 * is not E.164: it drops Brazil's ninth digit for older accounts, and has Mexico's and Argentina's mobile prefix or not
 * (docs/meta.md#phone-numbers). Spellings serve look-ups only, and count only when one customer fits; stored names stay
 * verbatim.
 */
export function phoneVariants(digits: string): string[] {
  const variants = [brazil, mexico, argentina].flatMap((country) => country(digits))
  return [...new Set(variants)].filter((variant) => variant !== digits)
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
