import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { webhookEndpoints } from '../db/schema/index.ts'
import { settingsOf } from './present.ts'
import { isEndpoint, lockEndpoint } from './read-endpoints.ts'

/** Deletes an endpoint, which gets no event any more. @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND */
export async function deleteEndpoint(
  db: Db,
  { orgId, id, actor }: { orgId: string; id: string; actor: string },
): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    const endpoint = await lockEndpoint(tx, orgId, id)
    await tx.delete(webhookEndpoints).where(isEndpoint(orgId, id))
    const audit = { orgId, kind: 'webhook_endpoint.deleted', actor, reason: ASKED_FOR } as const
    await recordEvents(tx, [{ ...audit, before: { id, ...settingsOf(endpoint) } }])
  })
}
