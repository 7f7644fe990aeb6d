import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { metaObjects } from '../db/schema/index.ts'
import { ProvisionError } from './provision-error.ts'

/**
 * Records which org an id of Meta belongs to; a webhook names the id, and not the org.
 * @throws ProvisionError when it belongs to another org
 */
export async function claimMetaObject(
  tx: Db,
  kind: 'phone' | 'waba',
  id: string,
  orgId: string,
): Promise<void> {
  const rows = await tx
    .insert(metaObjects)
    .values({ kind, id, orgId })
    .onConflictDoUpdate({
      target: [metaObjects.kind, metaObjects.id],
      set: { id },
      setWhere: sql`${metaObjects.orgId} = ${orgId}`,
    })
    .returning({ orgId: metaObjects.orgId })
  if (rows.length === 0)
    throw new ProvisionError('BELONGS_TO_OTHER_ORG', `the ${kind} ${id} belongs to another org`)
}
