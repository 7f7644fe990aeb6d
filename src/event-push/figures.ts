import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'

/** How many endpoints Usher has disabled, and how many fail at the moment. */
export type WebhookFigures = { disabled: number; failing: number }

/** Counts the endpoints that need people. */
export function readWebhookFigures(db: Db): Promise<WebhookFigures> {
  return run(db, {
    name: 'count-webhook-endpoints',
    text: `select count(*) filter (where disabled_at is not null)::int as disabled,
        count(*) filter (where enabled and failing_since is not null)::int as failing
      from webhook_endpoints where disabled_at is not null or failing_since is not null`,
    values: [],
    read: ([row]: WebhookFigures[]) => row ?? { disabled: 0, failing: 0 },
  })
}
