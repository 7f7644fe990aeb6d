import type { Db } from '../db/client.ts'
import { nothing, run } from '../db/statement.ts'
import type { Logger } from '../logger.ts'
import { oncePerMinute } from '../once-per-minute.ts'

/** Refusals that mean that Usher and the Meta app are not set up alike, or that somebody else sends. */
export type UnprovenReason = 'signature' | 'handshake'

const WORDS: Record<UnprovenReason, string> = {
  signature:
    'webhooks were refused, because no app secret signed them: compare META_APP_SECRET with the App Dashboard (App settings, Basic)',
  handshake:
    'handshakes were refused, because they had a wrong verify token: compare META_VERIFY_TOKEN with the App Dashboard (WhatsApp, Configuration)',
}

/**
 * Creates the function that is called for each webhook request that proves no secret. It logs a warning at once, and
 * then one a minute at most, with the number of refused requests and nothing of their content, and records the same
 * number for the console.
 */
export function createRefusalReport(db: Db, log: Logger): (reason: UnprovenReason) => void {
  return oncePerMinute((reason, refused) => {
    log.warn({ refused }, WORDS[reason])
    // The log line is written in any case, so nothing is lost while the database is away.
    recordRefusals(db, reason, refused).catch(() => undefined)
  })
}

/** Adds to the count that the console shows. The count begins anew after an hour without refusals. */
function recordRefusals(db: Db, reason: UnprovenReason, refused: number): Promise<void> {
  return run(db, {
    name: 'record-webhook-refusals',
    text: `insert into webhook_refusals as r (reason, refused) values ($1, $2)
      on conflict (reason) do update set last_at = now(),
        since = case when r.last_at < now() - interval '1 hour' then now() else r.since end,
        refused = case when r.last_at < now() - interval '1 hour' then 0 else r.refused end + excluded.refused`,
    values: [reason, refused],
    read: nothing,
  })
}
