import { and, asc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { type WebhookEndpoint, webhookEndpoints } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'

/** The endpoints of an org, the oldest first. */
export function listEndpoints(db: Db, orgId: string): Promise<WebhookEndpoint[]> {
  return db
    .select()
    .from(webhookEndpoints)
    .where(eq(webhookEndpoints.orgId, orgId))
    .orderBy(asc(webhookEndpoints.id))
}

/** @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND */
export async function readEndpoint(db: Db, orgId: string, id: string): Promise<WebhookEndpoint> {
  const [found] = await db.select().from(webhookEndpoints).where(isEndpoint(orgId, id))
  if (!found) throw new ApiError('WEBHOOK_ENDPOINT_NOT_FOUND')
  return found
}

/** Reads an endpoint and locks it until the end of the transaction. @throws ApiError WEBHOOK_ENDPOINT_NOT_FOUND */
export async function lockEndpoint(tx: Db, orgId: string, id: string): Promise<WebhookEndpoint> {
  const [found] = await tx.select().from(webhookEndpoints).where(isEndpoint(orgId, id)).for('update')
  if (!found) throw new ApiError('WEBHOOK_ENDPOINT_NOT_FOUND')
  return found
}

/** The condition for the row of an endpoint. */
export function isEndpoint(orgId: string, id: string) {
  return and(eq(webhookEndpoints.orgId, orgId), eq(webhookEndpoints.id, id))
}
