/** What a masked text looks like. */
export const MASK = '•••'

/** Keys whose values say where a delivery was going, and not what it says or who it is about. */
const PLAIN = new Set([
  ...['object', 'id', 'field', 'messaging_product', 'phone_number_id', 'type', 'timestamp', 'status'],
  ...['code', 'error_subcode', 'mime_type', 'recipient_type', 'event'],
])

/**
 * The body of a delivery, indented, with every value masked but ids, types and times; undefined when it is no
 * JSON, of which nothing can be shown without showing its text.
 */
export function maskBody(body: Buffer): string | undefined {
  try {
    return JSON.stringify(masked(JSON.parse(body.toString()), ''), null, 2)
  } catch {
    return undefined
  }
}

/** The body as it is, indented when it is JSON. */
export function plainBody(body: Buffer): string {
  try {
    return JSON.stringify(JSON.parse(body.toString()), null, 2)
  } catch {
    return body.toString()
  }
}

function masked(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((item) => masked(item, key))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, masked(inner, name)]))
  }
  return PLAIN.has(key) || typeof value === 'boolean' || value === null ? value : MASK
}
