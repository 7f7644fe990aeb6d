import { isDeepStrictEqual } from 'node:util'
import { sql } from 'drizzle-orm'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { type WebhookEndpoint, webhookEndpoints } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { Installation } from '../installation.ts'
import { faultOfUrl } from './check-url.ts'
import { columnsOf, type EndpointSettings, settingsOf } from './present.ts'
import { isEndpoint, lockEndpoint } from './read-endpoints.ts'
import { restartLanes } from './restart-lanes.ts'

type Undefinable<T> = { [K in keyof T]?: T[K] | undefined }
type Change = {
  orgId: string
  id: string
  changes: Undefinable<EndpointSettings>
  actor: string
  installation: Installation
}

/**
 * Changes an endpoint; settings that are left out, or undefined, stay. An endpoint that Usher disabled goes on where it
 * stopped when it is enabled, and so do lanes that wait, since the change may be the cure.
 * @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND or WEBHOOK_URL_REFUSED
 */
export async function updateEndpoint(
  db: Db,
  { orgId, id, changes, actor, installation }: Change,
): Promise<WebhookEndpoint> {
  const fault = changes.url && faultOfUrl(changes.url, installation.allowPrivateWebhooks)
  if (fault) throw new ApiError('WEBHOOK_URL_REFUSED', fault)
  return inRetriedTransaction(db, async (tx) => {
    const endpoint = await lockEndpoint(tx, orgId, id)
    const before = settingsOf(endpoint)
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
    const after: EndpointSettings = { ...before, ...given }
    if (isDeepStrictEqual(before, after)) return endpoint
    const [updated = endpoint] = await tx
      .update(webhookEndpoints)
      .set({
        ...columnsOf(after),
        ...(after.enabled && { disabledAt: null, disabledReason: null }),
        ...{ failingSince: null, pausedUntil: null },
        updatedAt: sql`now()`,
      })
      .where(isEndpoint(orgId, id))
      .returning()
    await run(tx, restartLanes(orgId, id))
    const audit = { orgId, kind: 'webhook_endpoint.updated', actor, reason: ASKED_FOR } as const
    await recordEvents(tx, [{ ...audit, before: { id, ...before }, after: { id, ...after } }])
    return updated
  })
}
