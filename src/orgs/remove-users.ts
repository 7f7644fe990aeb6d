import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import { releaseFrom } from '../chatrooms/release-chatrooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockOrg } from './lock-org.ts'

export type Removal = { orgId: string; userIds: string[]; actor: string }

/**
 * Removes users, who are members of no group and not the delegate afterwards (docs/rules.md#a-user-who-leaves). Their
 * tokens are refused, and nobody can assign a chatroom to them, as soon as this commits; `releaseChatrooms` then takes
 * their chatrooms. Users who are unknown or removed already change nothing. The org's row must be locked. This must be the
 * last change of the transaction, because assignments lock customers and groups before users.
 * @returns the number of users removed
 */
export async function removeUsers(tx: Db, { orgId, userIds, actor }: Removal): Promise<number> {
  const [, , removed, delegates] = await send(tx, [
    leaveGroups(orgId, userIds),
    lockUsers(orgId, userIds),
    markRemoved(orgId, userIds),
    clearDelegate(orgId, userIds),
  ])
  await recordEvents(tx, [
    ...removed.map((id) => ({
      ...{ orgId, kind: 'user.removed' as const, actor, reason: ASKED_FOR, after: { user_id: id } },
    })),
    ...delegates.map((id) => ({
      ...{ orgId, kind: 'org.settings_changed' as const, actor, reason: 'the delegate was removed' },
      before: { delegate: { user_id: id } },
      after: { delegate: null },
    })),
  ])
  return removed.length
}

/**
 * Removes one user of an org, and takes the user's chatrooms.
 * @returns the number of chatrooms that were released
 * @throws ApiError USER_NOT_FOUND for a user who is unknown or removed already
 */
export async function removeUser(db: Db, orgId: string, userId: string, actor: string): Promise<number> {
  const removed = await inRetriedTransaction(db, async (tx) => {
    await send(tx, [lockOrg(orgId)])
    return removeUsers(tx, { orgId, userIds: [userId], actor })
  })
  if (removed === 0) throw new ApiError('USER_NOT_FOUND')
  return releaseFrom(db, { orgId, userId })
}

function leaveGroups(orgId: string, userIds: string[]): Statement<void> {
  return {
    name: 'leave-groups',
    text: 'delete from group_members where org_id = $1 and user_id = any($2::text[])',
    values: [orgId, userIds],
    read: nothing,
  }
}

/** Waits for assignments that are under way: these hold the rows `for key share`. */
function lockUsers(orgId: string, userIds: string[]): Statement<void> {
  return {
    name: 'lock-users-to-remove',
    text: `select 1 from users where org_id = $1 and id = any($2::text[]) and removed_at is null
      order by id for update`,
    values: [orgId, userIds],
    read: nothing,
  }
}

function markRemoved(orgId: string, userIds: string[]): Statement<string[]> {
  return {
    name: 'mark-users-removed',
    text: `update users set removed_at = now(), released_at = null, released_chatrooms = 0
      where org_id = $1 and id = any($2::text[]) and removed_at is null returning id`,
    values: [orgId, userIds],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

function clearDelegate(orgId: string, userIds: string[]): Statement<string[]> {
  return {
    name: 'clear-removed-delegate',
    text: `with delegate as (select delegate_user_id as id from orgs where id = $1)
      update orgs set delegate_user_id = null, updated_at = now() from delegate
      where orgs.id = $1 and delegate_user_id = any($2::text[]) returning delegate.id`,
    values: [orgId, userIds],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}
