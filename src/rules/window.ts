const HOUR_MS = 3_600_000

/** WhatsApp takes free text for 24 h after the customer's last message (docs/meta.md#the-24-h-window). */
const WINDOW_HOURS = 24

/** So long before the end of the window a queued message is given up: for the last try, and clocks that differ. */
const MARGIN_HOURS = 1

/** Whether WhatsApp takes free text for a customer whose last message is of that time; null: never wrote. */
export function isWindowOpen(lastInboundAt: Date | null, now: Date): boolean {
  return lastInboundAt !== null && now.getTime() - lastInboundAt.getTime() < WINDOW_HOURS * HOUR_MS
}

/** SQL for `o` (outbox): the message has waited so long that it is not sent any more, by the database's clock. */
export const IS_TOO_LATE = `o.created_at <= now() - interval '${WINDOW_HOURS - MARGIN_HOURS} hours'`

/** The error of a message that `IS_TOO_LATE` ended; the API shows it. */
export const TOO_LATE = 'not sent within the 24 h window'
