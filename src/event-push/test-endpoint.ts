import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import type { WebhookEndpoint } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { Installation } from '../installation.ts'
import { openSecret } from '../webhook-endpoints/secret.ts'
import { type AttemptRow, keepAttempts, toAttempt } from './attempt-log.ts'
import { createEventClient } from './post-event.ts'
import { signedHeaders } from './sign.ts'
import { USER_AGENT } from './user-agent.ts'

/** The type of the event that tests an endpoint; it is in no log. */
export const TEST_TYPE = 'webhook.test'

/**
 * Posts a test event to an endpoint at once, also to one that is not enabled, and gives how the request ended. It changes
 * nothing else, and is one of the endpoint's last requests.
 * @throws ApiError SECRETS_KEY_MISSING where this process cannot read the secrets
 */
export async function testEndpoint(
  db: Db,
  endpoint: WebhookEndpoint,
  { now, installation }: { now: Date; installation: Installation },
): Promise<AttemptRow> {
  const { orgId, id: endpointId, url } = endpoint
  const event = {
    ...{ id: `test_${uuidv7()}`, type: TEST_TYPE, timestamp: now.toISOString() },
    data: { webhook_endpoint_id: endpointId },
  }
  const body = JSON.stringify(event)
  const signed = signedHeaders({
    id: event.id,
    at: now,
    body,
    secrets: secretsOf(endpoint, now, installation),
  })
  const headers = { 'content-type': 'application/json', 'user-agent': USER_AGENT, ...signed }
  const client = createEventClient({ allowPrivate: installation.allowPrivateWebhooks })
  const posted = await client.post({ url, headers, body }).finally(client.close)
  const attempt = toAttempt({ orgId, endpointId, eventId: event.id, type: TEST_TYPE, at: now }, posted)
  await run(db, keepAttempts([attempt]))
  return attempt
}

function secretsOf(endpoint: WebhookEndpoint, now: Date, { secretsKey }: Installation): string[] {
  const { oldSecret, oldSecretUntil } = endpoint
  const isOldValid = oldSecret !== null && oldSecretUntil !== null && oldSecretUntil > now
  return [endpoint.secret, ...(isOldValid ? [oldSecret] : [])].map((sealed) => {
    const secret = openSecret(sealed, endpoint, secretsKey)
    if (secret === undefined) throw new ApiError('SECRETS_KEY_MISSING')
    return secret
  })
}
