import type { Db } from '../db/client.ts'
import { firstRow, nothing, rowCount, run, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'

/** Who shall have a chatroom, as a request says (schema `ChatroomAssignmentDetailsDto`). */
export type Wish =
  | { mode: 'USER'; userId: string }
  | { mode: 'USER'; email: string }
  | { mode: 'GROUP'; groupId: string }
  | { mode: 'DELEGATE' }

/** A user, or a group one member of which is to be picked; both exist in the org. */
export type Assignee = { userId: string } | { groupId: string }

type DelegatingOrg = { id: string; delegateUserId: string | null; delegateGroupId: string | null }

/**
 * Finds the user or group that a request names; upper and lower case of e-mail addresses do not matter. Writes nothing.
 * @throws ApiError USER_NOT_FOUND, GROUP_NOT_FOUND (also for a group without members), DELEGATE_NOT_FOUND
 */
export async function findAssignee(db: Db, org: DelegatingOrg, wish: Wish): Promise<Assignee> {
  if (wish.mode === 'USER') return { userId: await findUser(db, org.id, wish) }
  if (wish.mode === 'GROUP') return { groupId: await findGroup(db, org.id, wish.groupId) }
  if (org.delegateUserId) return findAssignee(db, org, { mode: 'USER', userId: org.delegateUserId })
  if (org.delegateGroupId) return findAssignee(db, org, { mode: 'GROUP', groupId: org.delegateGroupId })
  throw new ApiError('DELEGATE_NOT_FOUND')
}

/**
 * The user; of a group, the member with the fewest active chatrooms, pending handovers included, and among those the
 * one who was picked longest ago. Picks from one group wait for each other until commit, so each counts the one before.
 * The user cannot be removed until this transaction ends. The customer must be locked before.
 * @throws ApiError USER_NOT_FOUND, GROUP_NOT_FOUND when the user, or the last member, was removed meanwhile
 */
export async function pickUser(tx: Db, orgId: string, assignee: Assignee, now: Date): Promise<string> {
  const userId = 'userId' in assignee ? assignee.userId : await pickFrom(tx, orgId, assignee.groupId, now)
  if ((await run(tx, lockUser(orgId, userId))) === 0) throw new ApiError('USER_NOT_FOUND')
  return userId
}

async function pickFrom(tx: Db, orgId: string, groupId: string, now: Date): Promise<string> {
  const [, picked] = await send(tx, [lockMembers(orgId, groupId), pickMember(orgId, groupId, now)])
  if (!picked) throw new ApiError('GROUP_NOT_FOUND')
  return picked.userId
}

/** Waits for a removal that is under way, and then finds no user. A removal locks the row `for update`. */
function lockUser(orgId: string, userId: string): Statement<number> {
  return {
    name: 'lock-user',
    text: 'select 1 from users where org_id = $1 and id = $2 and removed_at is null for key share',
    values: [orgId, userId],
    read: rowCount,
  }
}

async function findUser(
  db: Db,
  orgId: string,
  wish: { userId: string } | { email: string },
): Promise<string> {
  const byId = 'userId' in wish
  const user = await run(db, {
    name: byId ? 'find-user-by-id' : 'find-user-by-email',
    text: `select id from users where org_id = $1 and ${byId ? 'id = $2' : 'lower(email) = lower($2)'}
      and removed_at is null`,
    values: [orgId, byId ? wish.userId : wish.email],
    read: firstRow<{ id: string }>,
  })
  if (!user) throw new ApiError('USER_NOT_FOUND')
  return user.id
}

async function findGroup(db: Db, orgId: string, id: string): Promise<string> {
  const found = await run(db, {
    name: 'find-group',
    text: 'select 1 from group_members where org_id = $1 and group_id = $2 limit 1',
    values: [orgId, id],
    read: rowCount,
  })
  if (found === 0) throw new ApiError('GROUP_NOT_FOUND')
  return id
}

function lockMembers(orgId: string, groupId: string): Statement<void> {
  return {
    name: 'lock-group-members',
    text: 'select 1 from group_members where org_id = $1 and group_id = $2 order by user_id for update',
    values: [orgId, groupId],
    read: nothing,
  }
}

/** `last_assigned_at` is the rotation: within a group it only grows, even if the clocks of processes differ. */
function pickMember(orgId: string, groupId: string, now: Date): Statement<{ userId: string } | undefined> {
  return {
    name: 'pick-group-member',
    text: `with members as materialized (
        select user_id, last_assigned_at from group_members where org_id = $1 and group_id = $2),
      chosen as (
        select m.user_id from members m
        cross join lateral (
          select count(*) as rooms from chatrooms r
          where r.org_id = $1 and r.assigned_user_id = m.user_id
            and r.expired_at is null and r.deactivated_at is null) assigned
        cross join lateral (
          select count(*) as rooms from chatrooms r
          where r.org_id = $1 and r.pending_user_id = m.user_id
            and r.expired_at is null and r.deactivated_at is null) pending
        order by assigned.rooms + pending.rooms, m.last_assigned_at nulls first, m.user_id limit 1)
      update group_members g set last_assigned_at =
        greatest($3, (select max(last_assigned_at) from members) + interval '1 millisecond')
      from chosen where g.org_id = $1 and g.group_id = $2 and g.user_id = chosen.user_id
      returning g.user_id as "userId"`,
    values: [orgId, groupId, now],
    read: firstRow<{ userId: string }>,
  }
}
