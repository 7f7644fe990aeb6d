const HOUR_MS = 3_600_000

/** WhatsApp takes free text for 24 h after the customer's last message or call (docs/meta.md#the-24-h-window). */
const WINDOW_MS = 24 * HOUR_MS

/** So long before its end the window counts as closed: for the way to Meta, and for clocks that differ. */
const MARGIN_MS = 30_000

const OPEN_MS = WINDOW_MS - MARGIN_MS

/** Whether WhatsApp takes free text for a customer whose last message is of that time; null: never wrote. */
export function isWindowOpen(lastInboundAt: Date | null, now: Date): boolean {
  return lastInboundAt !== null && now.getTime() - lastInboundAt.getTime() < OPEN_MS
}

/** SQL: `isWindowOpen` for an expression that gives the time, by the database's clock. Never null. */
export function isWindowOpenSql(lastInboundAt: string): string {
  return `(coalesce(${lastInboundAt}, '-infinity') > now() - interval '${OPEN_MS / 1000} seconds')`
}

/**
 * SQL: when the customer of `q` last wrote to its number; null: never. `q` has the columns `org_id`, `customer_id` and
 * `waba_phone_id`. The window belongs to the customer and the number, not to one chatroom.
 */
export const LAST_INBOUND = `(select max(x.last_inbound_at) from chatrooms x
  where x.org_id = q.org_id and x.customer_id = q.customer_id and x.waba_phone_id = q.waba_phone_id)`

/** SQL: a window that was open at `createdAt` may be closed by now; in a form that an index can search. */
export function mayBeClosedSql(createdAt: string): string {
  return `${createdAt} <= now() - interval '${OPEN_MS / 1000} seconds'`
}
