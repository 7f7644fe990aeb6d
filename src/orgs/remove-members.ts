import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run, type Statement } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

/** A group, and either the members who stay in it or those who leave it. */
type Leaving = { orgId: string; groupId: string; actor: string } & (
  | { staying: string[] }
  | { userIds: string[] }
)

/**
 * Takes members out of a group, with the audit. They keep their chatrooms, and are not picked from the group any more.
 * @returns the number of members who left
 */
export async function removeMembers(tx: Db, leaving: Leaving): Promise<number> {
  const { orgId, groupId, actor } = leaving
  const removed = await run(tx, deleteMembers(leaving))
  if (removed.length > 0) {
    const after = { group_id: groupId, user_ids: removed }
    await recordEvents(tx, [{ orgId, kind: 'group.members_removed', actor, reason: ASKED_FOR, after }])
  }
  return removed.length
}

/**
 * Takes one member out of a group.
 * @throws ApiError USER_NOT_FOUND when the group has no such member
 */
export async function removeMember(
  db: Db,
  { userId, ...group }: { orgId: string; groupId: string; userId: string; actor: string },
): Promise<void> {
  const removed = await inRetriedTransaction(db, (tx) => removeMembers(tx, { ...group, userIds: [userId] }))
  if (removed === 0) throw new ApiError('USER_NOT_FOUND', 'The group has no member with this id.')
}

function deleteMembers(leaving: Leaving): Statement<string[]> {
  const stays = 'staying' in leaving
  return {
    name: stays ? 'keep-group-members' : 'remove-group-members',
    text: `delete from group_members
      where org_id = $1 and group_id = $2 and user_id ${stays ? '<> all' : '= any'}($3::text[]) returning user_id as id`,
    values: [leaving.orgId, leaving.groupId, stays ? leaving.staying : leaving.userIds],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}
