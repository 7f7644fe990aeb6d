const HOUR_MS = 3_600_000

/** WhatsApp takes free text for 24 h after the customer's last message or call (docs/meta.md#the-24-h-window). */
const WINDOW_MS = 24 * HOUR_MS

/** So long before its end the window counts as closed: for the way to Meta, and for clocks that differ. */
const MARGIN_MS = 30_000

const OPEN_MS = WINDOW_MS - MARGIN_MS

/** Whether WhatsApp takes free text for a customer whose last message or call is of that time; null: there is none. */
export function isWindowOpen(since: Date | null, now: Date): boolean {
  return since !== null && now.getTime() - since.getTime() < OPEN_MS
}

/** SQL: `isWindowOpen` for an expression that gives the time, by the database's clock. Never null. */
export function isWindowOpenSql(since: string): string {
  return `(coalesce(${since}, '-infinity') > now() - interval '${OPEN_MS / 1000} seconds')`
}

/**
 * SQL: when the customer of `q` last wrote to its number or called it; null: never. `q` has the columns `org_id`,
 * `customer_id` and `waba_phone_id`. The window belongs to the customer and the number, not to one chatroom.
 */
export const WINDOW_SINCE = `greatest(
  (select max(x.last_inbound_at) from chatrooms x where ${ofPair('x')}),
  (select l.called_at from last_calls l where ${ofPair('l')}))`

/** SQL: a window that was open at `createdAt` may be closed by now; in a form that an index can search. */
export function mayBeClosedSql(createdAt: string): string {
  return `${createdAt} <= now() - interval '${OPEN_MS / 1000} seconds'`
}

function ofPair(table: string): string {
  return ['org_id', 'customer_id', 'waba_phone_id'].map((key) => `${table}.${key} = q.${key}`).join(' and ')
}
