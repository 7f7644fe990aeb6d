import { parseExact } from './exact-json.ts'
import { asObject, asText, attempt, identifier, type Json } from './fields.ts'

/**
 * One `entry[].changes[]` of a delivery. `wabaId` is `entry.id` as it came, since messages do not need it. `time` is null
 * where it is a list or an object.
 */
export type Change = { wabaId: unknown; time: unknown; field: string; value: Json }

export type Envelope = { changes: Change[]; problems: string[] }

/**
 * Reads the signed bytes of one POST (docs/meta.md#envelope). Never throws: bytes that are no WhatsApp delivery
 * become problems, and one odd change does not hide the others.
 */
export function parseEnvelope(body: Buffer): Envelope {
  const root = parseJson(body)
  if (typeof root === 'string') return { changes: [], problems: [root] }
  if (root.object !== 'whatsapp_business_account') {
    return { changes: [], problems: ['"object" is not whatsapp_business_account'] }
  }
  if (!Array.isArray(root.entry)) return { changes: [], problems: ['"entry" is not a list'] }
  const envelope: Envelope = { changes: [], problems: [] }
  root.entry.forEach((entry: unknown, i) => {
    attempt(envelope.problems, `entry[${i}]`, () => readEntry(entry, `entry[${i}]`, envelope))
  })
  return envelope
}

function parseJson(body: Buffer): Json | string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return 'the body is not UTF-8'
  }
  try {
    return asObject(parseExact(text)) ?? 'the body is not a JSON object'
  } catch {
    return 'the body is not JSON'
  }
}

function readEntry(value: unknown, place: string, envelope: Envelope): void {
  const entry = asObject(value)
  if (!entry || !Array.isArray(entry.changes)) {
    envelope.problems.push(`${place} has no list of changes`)
    return
  }
  const { id: wabaId, time } = entry
  entry.changes.forEach((item: unknown, i) => {
    const change = asObject(item)
    const value = asObject(change?.value)
    const at = `${place}.changes[${i}]`
    if (!asText(change?.field) || !value) envelope.problems.push(`${at} lacks its field or value`)
    else {
      attempt(envelope.problems, at, () => {
        const field = identifier(change?.field, 'field')
        envelope.changes.push({ wabaId, time: isScalar(time) ? time : null, field, value })
      })
    }
  })
}

function isScalar(value: unknown): boolean {
  return !Array.isArray(value) && !asObject(value)
}
