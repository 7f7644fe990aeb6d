import type { EventType } from '../event-log/types.ts'
import type { EventRow } from './event-sql.ts'

/** An event as the API shows it. */
export type ShownEvent = { id: string; type: EventType; timestamp: string; data: Record<string, unknown> }

/** Receivers of webhooks take events of 20 kB; what describes an event otherwise needs less than 4 kB. */
const MAX_CONTENT_BYTES = 16_000

/** Shows an event. `includeContent`: with the content of messages. Content that is too large is left out, and it says so. */
export function toEvent(row: EventRow, includeContent: boolean): ShownEvent {
  const { seq, type, at } = row
  return { id: `evt_${seq}`, type, timestamp: at.toISOString(), data: dataOf(row, includeContent) }
}

function dataOf(row: EventRow, includeContent: boolean): Record<string, unknown> {
  const { type, data, audit, account, wamid, message, chatroomId, contact } = row
  const customer = customerOf(row)
  if (type === 'account.event') return { ...account, ...fitting('value', account?.value) }
  if (type.startsWith('number.') && !audit) return { reason: null, ...data }
  if (type.startsWith('customer.') && !audit) return { ...withIsoTimes(data), customer }
  const subject = { chatroom_id: chatroomId, contact, customer }
  if (type === 'message.status') return { id: message?.id ?? null, wamid, ...withIsoTimes(data), ...subject }
  if (type.startsWith('message.'))
    return { wamid, ...messageOf(row), ...subjectOf(row), ...content(row, includeContent) }
  const { before = null, after = null, ...cause } = audit ?? {}
  return { ...subject, ...cause, ...fitting('before', before), ...fitting('after', after) }
}

/** A held message had no chatroom yet, whatever became of it later. */
function subjectOf(row: EventRow) {
  const { type, chatroomId, contact } = row
  const customer = customerOf(row)
  return type === 'message.held'
    ? { chatroom_id: null, contact: null, customer }
    : { chatroom_id: chatroomId, contact, customer }
}

function customerOf({ customer }: EventRow): EventRow['customer'] {
  if (!customer) return null
  const keyOf = ({ kind, value }: { kind: string; value: string }) => `${kind} ${value}`
  return { ...customer, names: customer.names.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) }
}

function messageOf({ message }: EventRow): Record<string, unknown> {
  const { sent_at, received_at, ...others } = message ?? {}
  return { sent_at: iso(sent_at), received_at: iso(received_at), ...others }
}

/** PostgreSQL writes times into JSON in the zone of its session. */
function withIsoTimes(data: EventRow['data']): Record<string, unknown> {
  const times = ['at', 'until'].filter((name) => data !== null && name in data)
  return { ...data, ...Object.fromEntries(times.map((name) => [name, iso(data?.[name])])) }
}

function iso(time: unknown): string | null {
  return typeof time === 'string' ? new Date(time).toISOString() : null
}

function content({ payload }: EventRow, isWanted: boolean): Record<string, unknown> {
  if (!isWanted) return { content: null, content_omitted: 'not wanted' }
  return fits(payload)
    ? { content: payload ?? null, content_omitted: null }
    : { content: null, content_omitted: 'too large' }
}

function fitting(name: string, value: unknown): Record<string, unknown> {
  return { [name]: fits(value) ? (value ?? null) : null }
}

function fits(value: unknown): boolean {
  return value === undefined || Buffer.byteLength(JSON.stringify(value)) <= MAX_CONTENT_BYTES
}
