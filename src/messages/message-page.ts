import { z } from 'zod'
import type { MESSAGE_STATUSES, ROUTES } from '../db/schema/index.ts'

/** A message in the order of pages: Meta's time, then the order of receipt, then the wamid. */
export type Cursor = { sentAt: Date | 'infinity'; seq: string; wamid: string }

/** The newest `limit` messages at most, of those before the cursor if there is one. */
export type Page = { before: Cursor | undefined; limit: number }

/** A row of `MESSAGE_COLUMNS`, spelled as the API spells it. */
export type MessageRow = {
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
  status: (typeof MESSAGE_STATUSES)[number] | null
  errors: unknown
  payload: { from?: unknown }
}

/** The columns of `messages` that answers need. */
export const MESSAGE_COLUMNS = `wamid, direction, type, sent_at, received_at, seq, route, reason, wa_id, user_id,
  chatroom_id, status, errors, payload`

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
export function toMessage({ seq: _, ...row }: MessageRow) {
  const { from } = row.payload
  return {
    ...row,
    sent_at: row.sent_at.toISOString(),
    received_at: row.received_at.toISOString(),
    from: typeof from === 'string' ? from : null,
  }
}
