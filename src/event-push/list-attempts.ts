import { and, desc, eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { type WebhookEndpoint, webhookAttempts } from '../db/schema/index.ts'

type Row = typeof webhookAttempts.$inferSelect

/** The last requests to an endpoint, the newest first. */
export function listAttempts(
  db: Db,
  { orgId, id }: Pick<WebhookEndpoint, 'orgId' | 'id'>,
  limit: number,
): Promise<Row[]> {
  return db
    .select()
    .from(webhookAttempts)
    .where(and(eq(webhookAttempts.orgId, orgId), eq(webhookAttempts.endpointId, id)))
    .orderBy(desc(webhookAttempts.id))
    .limit(limit)
}
