import { eq } from 'drizzle-orm'
import { startRun } from '../bulk-runs/start-run.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { orgs } from '../db/schema/index.ts'
import { nothing, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

/**
 * Nobody finds the org by a number or WABA any more, so its deliveries are parked as those of unknown numbers are, and another
 * org may have them. Nothing is sent and no event is posted from now on.
 */
const CLOSE = [
  'update orgs set deleting_at = now() where id = $1',
  'delete from meta_objects where org_id = $1',
  `update waba_phones set stopped_at = coalesce(stopped_at, now()), stopped_reason = 'the org is being deleted'
    where org_id = $1`,
  'update webhook_endpoints set enabled = false where org_id = $1',
]

type Closing = { orgId: string; confirm: string | undefined; actor: string }

/**
 * Closes an org for good, and begins its deletion, which `deleteOrgs` does in the background. Asking again changes nothing.
 * @throws ApiError NOT_FOUND, or NAME_NOT_CONFIRMED if `confirm` is not the name of the org
 */
export async function closeOrg(db: Db, { orgId, confirm, actor }: Closing): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    const [org] = await tx.select().from(orgs).where(eq(orgs.id, orgId)).for('no key update')
    if (!org) throw new ApiError('NOT_FOUND')
    if (org.name !== confirm) throw new ApiError('NAME_NOT_CONFIRMED')
    if (org.deletingAt) return
    await send(
      tx,
      CLOSE.map((text) => ({ text, values: [orgId], read: nothing })),
    )
    await startRun(tx, { kind: 'delete', orgId, filter: {}, actor, total: null })
  })
}
