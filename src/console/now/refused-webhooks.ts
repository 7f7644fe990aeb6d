import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

export type RefusedWebhooks = {
  reason: 'signature' | 'handshake'
  refused: number
  since: Date
  lastAt: Date
}

/** The webhook requests that proved no secret, unless the last one is more than an hour ago. */
export function listRefusedWebhooks(db: Db): Promise<RefusedWebhooks[]> {
  return run(db, {
    name: 'console-refused-webhooks',
    text: `select reason, refused::float8 as refused, since, last_at as "lastAt" from webhook_refusals
      where last_at > now() - interval '1 hour' order by reason`,
    values: [],
    read: allRows<RefusedWebhooks>,
  })
}
