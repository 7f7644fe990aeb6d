import { parseExact } from './exact-json.ts'
import { asId, asObject, asText, type Json } from './fields.ts'

/** One `entry[].changes[]` of a delivery. `wabaId` is '' where Meta left it out. */
export type Change = { wabaId: string; time: unknown; field: string; value: Json }

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
    readEntry(entry, `entry[${i}]`, envelope)
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
  const wabaId = asId(entry.id) ?? ''
  entry.changes.forEach((item: unknown, i) => {
    const change = asObject(item)
    const field = asText(change?.field)
    const content = asObject(change?.value)
    if (field && content) envelope.changes.push({ wabaId, time: entry.time, field, value: content })
    else envelope.problems.push(`${place}.changes[${i}] lacks its field or value`)
  })
}
