import { seqOf } from '../rules/ledger-order.ts'
import { withReadableContacts } from './contacts.ts'
import { type Change, parseEnvelope } from './envelope.ts'
import { asList, asObject, attempt, type Json, requireList } from './fields.ts'
import type { Extraction } from './items.ts'
import {
  type Around,
  readAccountEvent,
  readCall,
  readEcho,
  readImport,
  readMessage,
  readPreference,
  readStatus,
} from './read-items.ts'

/**
 * Splits one delivery into messages, statuses and account events. An unreadable item becomes a line in `problems` (its
 * place and its fault, never its content) and affects no other item. Types, fields and keys that Meta adds later are
 * kept whole.
 */
export function extract(delivery: { id: number; body: Buffer; receivedAt: Date }): Extraction {
  const { changes, problems } = parseEnvelope(delivery.body)
  const out: Extraction = {
    deliveryId: delivery.id,
    messages: [],
    statuses: [],
    accountEvents: [],
    preferences: [],
    calls: [],
    problems,
  }
  for (const change of changes) {
    attempt(problems, change.field, () => readChange(change, delivery.receivedAt, out))
  }
  return out
}

/**
 * The types of ghosts: placeholders that coexistence numbers send beside the real content, under the same wamid
 * (docs/meta.md#ghosts).
 */
export const GHOST_TYPES = ['unsupported', 'unknown', 'media_placeholder'] as const

/** True for the type of a ghost. */
export function isGhost(type: string): boolean {
  return GHOST_TYPES.some((ghost) => ghost === type)
}

type Reader = (value: Json, out: Extraction, receivedAt: Date) => void

/** The fields that carry messages. Any other field, and one of these without messages, is an account event. */
const READERS = new Map<string, Reader>([
  ['messages', (value, out, receivedAt) => readTalk(value, value, 'customer', out, receivedAt)],
  ['smb_message_echoes', (value, out, receivedAt) => readTalk(value, value, 'customer', out, receivedAt)],
  [
    'standby',
    (value, out, receivedAt) => {
      const inner = asObject(value.standby) ?? value
      readTalk(inner, { ...value, ...inner }, 'standby', out, receivedAt)
    },
  ],
  ['history', readHistory],
])

/** Keys of a value that the readers above read, or that carry no information of their own. */
const READ = new Set([
  ...[
    'messaging_product',
    'metadata',
    'contacts',
    'messages',
    'message_echoes',
    'statuses',
    'standby',
    'history',
  ],
  'user_preferences',
])
/** Status words of messages. Statuses with other words (payments, calls, later additions) become account events. */
const STATUS_WORDS = new Set<unknown>(['sent', 'delivered', 'read', 'played', 'failed', 'deleted', 'warning'])

function readChange(change: Change, receivedAt: Date, out: Extraction): void {
  const { field, value } = change
  const before = out.messages.length + out.statuses.length + out.problems.length
  READERS.get(field)?.(value, out, receivedAt)
  const nothingRead = before === out.messages.length + out.statuses.length + out.problems.length
  if (field === 'user_preferences') readPreferences(value, out, receivedAt)
  if (field === 'calls') readCalls(value, out, receivedAt)
  const keep = (name: string, content: Json) =>
    attempt(out.problems, name, () => {
      out.accountEvents.push(readAccountEvent(change, name, content, receivedAt))
    })
  if (nothingRead) keep(field, value)
  else keepTheRest(field, value, (name, content) => keep(name, { metadata: value.metadata, ...content }))
}

/** Keeps the rest of a value as account events: errors (of chunks of a history too), statuses with other words, unknown keys. */
function keepTheRest(field: string, value: Json, keep: (name: string, content: Json) => void): void {
  const inner = asObject(value.standby) ?? {}
  const chunks = asList(value.history).map(asObject)
  const errors = [value, inner, ...chunks].flatMap((part) => asList(part?.errors))
  if (errors.length > 0) keep(`${field}.errors`, { errors })
  const statuses = [...asList(value.statuses), ...asList(inner.statuses)]
  const foreign = statuses.filter((s) => asObject(s) && !STATUS_WORDS.has(asObject(s)?.status))
  if (foreign.length > 0) keep(`${field}.statuses`, { statuses: foreign })
  const unknown = Object.keys(value).filter((key) => key !== 'errors' && !READ.has(key))
  if (unknown.length > 0) keep(`${field}.other`, Object.fromEntries(unknown.map((key) => [key, value[key]])))
}

/** Reads the three lists of a conversation: messages, echoes and statuses. */
function readTalk(
  lists: Json,
  outer: Json,
  nature: 'customer' | 'standby',
  out: Extraction,
  receivedAt: Date,
): void {
  const value = withReadableContacts(outer, out.problems)
  each(lists, 'messages', out, (item) =>
    out.messages.push(readMessage(item, around(value, out, receivedAt), nature)),
  )
  each(lists, 'message_echoes', out, (item) =>
    out.messages.push(readEcho(item, around(value, out, receivedAt))),
  )
  each(lists, 'statuses', out, (item) => out.statuses.push(readStatus(item, around(value, out, receivedAt))))
}

function readHistory(value: Json, out: Extraction, receivedAt: Date): void {
  const threads = asList(value.history).flatMap((chunk) => asList(asObject(chunk)?.threads))
  for (const thread of threads.map(asObject)) {
    if (!thread) continue
    each(thread, 'messages', out, (item) =>
      out.messages.push(readImport(item, around(value, out, receivedAt), thread.id)),
    )
  }
  // The content of media placeholders comes by itself, without threads.
  each(value, 'messages', out, (item) =>
    out.messages.push(readImport(item, around(value, out, receivedAt), undefined)),
  )
}

function readPreferences(outer: Json, out: Extraction, receivedAt: Date): void {
  const value = withReadableContacts(outer, out.problems)
  each(value, 'user_preferences', out, (item) => {
    const preference = readPreference(item, around(value, out, receivedAt))
    if (preference) out.preferences.push(preference)
  })
}

/** The field is kept as an account event as well, so that what is no incoming call is passed over. */
function readCalls(outer: Json, out: Extraction, receivedAt: Date): void {
  const value = withReadableContacts(outer, out.problems)
  for (const [i, item] of asList(value.calls).entries()) {
    attempt(out.problems, `calls[${i}]`, () => {
      const call = readCall(item, around(value, out, receivedAt))
      if (call) out.calls.push(call)
    })
  }
}

function each(value: Json, name: string, out: Extraction, read: (item: unknown) => void): void {
  attempt(out.problems, name, () => {
    requireList(value[name], name).forEach((item, i) => {
      attempt(out.problems, `${name}[${i}]`, () => read(item))
    })
  })
}

function around(value: Json, out: Extraction, receivedAt: Date): Around {
  return { value, receivedAt, seq: seqOf(out.deliveryId, out.messages.length) }
}
