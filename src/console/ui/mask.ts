/** What stands in place of a masked value. */
export const MASK = '•••'

/** Keys whose values identify a delivery or its destination, never its sender or its text. */
const PLAIN = new Set([
  ...['object', 'id', 'field', 'messaging_product', 'phone_number_id', 'type', 'timestamp', 'status'],
  ...['code', 'error_subcode', 'mime_type', 'recipient_type', 'event'],
])

/**
 * The body of a delivery as indented JSON in which every value except ids, types and times is masked. Undefined when the
 * body is not JSON, because then its text cannot be distinguished from the rest.
 */
export function maskBody(body: Buffer): string | undefined {
  try {
    return JSON.stringify(masked(JSON.parse(body.toString()), ''), null, 2)
  } catch {
    return undefined
  }
}

/** The body unmasked, indented when it is JSON. */
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
