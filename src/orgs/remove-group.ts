import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { rowCount, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockOrg } from './lock-org.ts'

/**
 * Removes a group. Its members keep their chatrooms, and if it was the delegate, the org has none.
 * @throws ApiError GROUP_NOT_FOUND
 */
export async function removeGroup(
  db: Db,
  { orgId, id, actor }: { orgId: string; id: string; actor: string },
): Promise<void> {
  const values = [orgId, id]
  await inRetriedTransaction(db, async (tx) => {
    const [, removed, wasDelegate] = await send(tx, [
      lockOrg(orgId),
      { text: 'delete from groups where org_id = $1 and id = $2', values, read: rowCount },
      {
        text: `update orgs set delegate_group_id = null, updated_at = now()
          where id = $1 and delegate_group_id = $2`,
        values,
        read: rowCount,
      },
    ])
    if (removed === 0) throw new ApiError('GROUP_NOT_FOUND', 'There is no group with this id in this org.')
    const [before, after] = [{ delegate: { group_id: id } }, { delegate: null }]
    const reason = 'the delegate was removed'
    await recordEvents(tx, [
      { orgId, kind: 'group.deleted', actor, reason: ASKED_FOR, before: { group_id: id } },
      ...(wasDelegate > 0
        ? [{ orgId, kind: 'org.settings_changed' as const, actor, reason, before, after }]
        : []),
    ])
  })
}
