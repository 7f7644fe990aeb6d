import { eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { MAX_ENDPOINTS, orgs, type WebhookEndpoint, webhookEndpoints } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { HORIZON } from '../event-log/position.ts'
import type { Installation } from '../installation.ts'
import { faultOfUrl } from './check-url.ts'
import { columnsOf, type EndpointSettings } from './present.ts'
import { newSecret, sealSecret } from './secret.ts'

type Wanted = { orgId: string; settings: EndpointSettings; actor: string; installation: Installation }

/**
 * Creates an endpoint, to which the events are posted that happen from now on, and gives its secret, which is shown only
 * here.
 * @throws ApiError WEBHOOK_URL_REFUSED, SECRETS_KEY_MISSING, or TOO_MANY_WEBHOOK_ENDPOINTS
 */
export async function createEndpoint(
  db: Db,
  { orgId, settings, actor, installation }: Wanted,
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const fault = faultOfUrl(settings.url, installation.allowPrivateWebhooks)
  if (fault) throw new ApiError('WEBHOOK_URL_REFUSED', fault)
  const id = uuidv7()
  const secret = newSecret()
  const sealed = sealSecret(secret, { orgId, id }, installation.secretsKey)
  return inRetriedTransaction(db, async (tx) => {
    const slot = await takeSlot(tx, orgId)
    const [endpoint] = await tx
      .insert(webhookEndpoints)
      .values({ ...{ orgId, id, slot }, ...columnsOf(settings), secret: sealed, position: sql.raw(HORIZON) })
      .returning()
    if (!endpoint) throw new Error('an endpoint was not inserted')
    await recordEvents(tx, [
      {
        ...{ orgId, kind: 'webhook_endpoint.created', actor, reason: ASKED_FOR },
        after: { id, ...settings },
      },
    ])
    return { endpoint, secret }
  })
}

/** Locks the org, so that two requests do not take the same slot. @throws ApiError TOO_MANY_WEBHOOK_ENDPOINTS */
async function takeSlot(tx: Db, orgId: string): Promise<number> {
  await tx.select({ id: orgs.id }).from(orgs).where(eq(orgs.id, orgId)).for('no key update')
  const rows = await tx
    .select({ slot: webhookEndpoints.slot })
    .from(webhookEndpoints)
    .where(eq(webhookEndpoints.orgId, orgId))
  const taken = new Set(rows.map(({ slot }) => slot))
  for (let slot = 1; slot <= MAX_ENDPOINTS; slot += 1) if (!taken.has(slot)) return slot
  throw new ApiError('TOO_MANY_WEBHOOK_ENDPOINTS')
}
