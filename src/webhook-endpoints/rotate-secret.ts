import { sql } from 'drizzle-orm'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { type WebhookEndpoint, webhookEndpoints } from '../db/schema/index.ts'
import type { Installation } from '../installation.ts'
import { isEndpoint, lockEndpoint } from './read-endpoints.ts'
import { newSecret, sealSecret } from './secret.ts'

type Rotation = { orgId: string; id: string; actor: string; installation: Installation }

/**
 * Gives an endpoint a new secret. The former one signs along for 24 h, so that the receiver can be changed meanwhile; one
 * that was replaced before it signs no more.
 * @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND or SECRETS_KEY_MISSING
 */
export async function rotateSecret(
  db: Db,
  { orgId, id, actor, installation }: Rotation,
): Promise<{ endpoint: WebhookEndpoint; secret: string }> {
  const secret = newSecret()
  const sealed = sealSecret(secret, { orgId, id }, installation.secretsKey)
  return inRetriedTransaction(db, async (tx) => {
    const before = await lockEndpoint(tx, orgId, id)
    const [endpoint = before] = await tx
      .update(webhookEndpoints)
      .set({
        secret: sealed,
        oldSecret: before.secret,
        oldSecretUntil: sql`now() + interval '24 hours'`,
        updatedAt: sql`now()`,
      })
      .where(isEndpoint(orgId, id))
      .returning()
    const audit = { orgId, kind: 'webhook_endpoint.secret_rotated', actor, reason: ASKED_FOR } as const
    await recordEvents(tx, [{ ...audit, after: { id } }])
    return { endpoint, secret }
  })
}
