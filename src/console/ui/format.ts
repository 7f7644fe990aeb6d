const DAY_S = 86_400

/** A whole number in groups of three digits: `1,234,567`. */
export function count(n: number): string {
  return n.toLocaleString('en-US')
}

/** A duration, rounded down: `4 s`, `3 min`, `2 h 10 min`, `5 d`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.floor(s / 60)} min`
  if (s >= 2 * DAY_S) return `${Math.floor(s / DAY_S)} d`
  const minutes = Math.floor((s % 3_600) / 60)
  return `${Math.floor(s / 3_600)} h${minutes > 0 ? ` ${minutes} min` : ''}`
}

/** A rate: one decimal place below ten, none above. */
export function rate(perSecond: number): string {
  return perSecond < 10 ? (Math.round(perSecond * 10) / 10).toString() : count(Math.round(perSecond))
}

/** An instant in UTC: `2026-11-22 10:04:05`. */
export function stamp(at: Date): string {
  return at.toISOString().slice(0, 19).replace('T', ' ')
}

/** The query string of the parameters that are not empty, with its `?`; empty when all of them are. */
export function queryString(parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const text = new URLSearchParams(given).toString()
  return text === '' ? '' : `?${text}`
}

export const CUSTOMER_PATH = '/console/customer'

/** The address of the page of a customer. */
export function customerPath(orgId: string, customerId: string): string {
  return CUSTOMER_PATH + queryString({ org: orgId, id: customerId })
}
