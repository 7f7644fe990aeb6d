import { z } from 'zod'
import type { ROUTES } from '../db/schema/index.ts'
import { nextTryOf, reasonOf, SEND_STATE_COLUMNS, type SendState } from './send-state.ts'

/** A message in the order of pages: Meta's time, then the order of receipt, then the wamid. */
export type Cursor = { sentAt: Date | 'infinity'; seq: string; wamid: string }

/** The newest `limit` messages at most, of those before the cursor if there is one. */
export type Page = { before: Cursor | undefined; limit: number }

/** A row of `MESSAGE_COLUMNS`, spelled as the API spells it. */
export type MessageRow = SendState & {
  wamid: string
  direction: 'in' | 'out' | 'echo'
  type: string
  sent_at: Date
  received_at: Date
  seq: string
  route: (typeof ROUTES)[number] | null
  reason: string
  wa_id: string | null
  user_id: string | null
  chatroom_id: string | null
  payload: { from?: unknown }
}

/** SQL: the columns of a message `m` that answers need, with the tables of `SEND_STATE_TABLES`. */
export const MESSAGE_COLUMNS = `${SEND_STATE_COLUMNS}, m.wamid, m.direction, m.type, m.sent_at, m.received_at, m.seq,
  m.route, m.reason, m.wa_id, m.user_id, m.chatroom_id, m.payload`

/** The cursor of the first page: no message is newer. */
export const NEWEST: Cursor = { sentAt: 'infinity', seq: '0', wamid: '' }

const YEAR_10000_MS = 253_402_300_800_000
const cursorParts = z.tuple([
  z.int().min(0).lt(YEAR_10000_MS),
  z.string().regex(/^-?\d{1,18}$/),
  z.string().regex(/^[^\0]*$/),
])

/** The cursor in the `next_before` of an earlier answer; undefined for any other text. */
export function decodeCursor(text: string): Cursor | undefined {
  try {
    const [ms, seq, wamid] = cursorParts.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return { sentAt: new Date(ms), seq, wamid }
  } catch {
    return undefined
  }
}

/** The page as answers show it. `rows` holds one row more than the limit when there is a next page. */
export function toMessageList(rows: MessageRow[], limit: number) {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const next = rows.length > limit && last ? [last.sent_at.getTime(), last.seq, last.wamid] : undefined
  return {
    messages: page.map(toMessage),
    next_before: next ? Buffer.from(JSON.stringify(next)).toString('base64url') : null,
  }
}

/** A message as answers show it. */
export function toMessage({
  seq,
  send_error,
  due_at,
  is_stopped,
  stopped_reason,
  is_next,
  ...row
}: MessageRow) {
  const { from } = row.payload
  const state = { ...row, send_error, due_at, is_stopped, stopped_reason, is_next }
  return {
    ...row,
    status_reason: reasonOf(state),
    next_try_at: nextTryOf(state)?.toISOString() ?? null,
    sent_at: row.sent_at.toISOString(),
    received_at: row.received_at.toISOString(),
    from: typeof from === 'string' ? from : null,
  }
}
