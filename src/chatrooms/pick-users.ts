import type { Db } from '../db/client.ts'
import { columns, text, timestamptz } from '../db/columns.ts'
import { RetryError } from '../db/pg-errors.ts'
import { allRows, nothing, over, rowCount, run, type Statement, send } from '../db/statement.ts'
import type { Assignee } from './pick-assignee.ts'

/** A member of a group. `rooms`: active chatrooms, pending handovers counted in. */
export type Member = { groupId: string; userId: string; rooms: number; lastAssignedAt: Date | null }

/**
 * As `pickUser` for each of the assignees in their order, each pick counting the ones before, with a fixed number of
 * statements.
 * @throws RetryError when a user, or the last member of a group, was removed meanwhile
 */
export async function pickUsers(tx: Db, orgId: string, assignees: Assignee[], now: Date): Promise<string[]> {
  const groups = new Set(assignees.flatMap((one) => ('groupId' in one ? [one.groupId] : [])))
  const keys = [...groups].map((groupId) => ({ orgId, groupId }))
  const [, members] = await send(tx, [lockMembersOf(keys), readMembersOf(keys)])
  const picked = pickMembers(assignees, members, now)
  const users = [...new Set(picked)].map((userId) => ({ orgId, userId }))
  if ((await run(tx, lockUsers(users))) < users.length) throw new RetryError('a user was removed meanwhile')
  await run(tx, markPicked(members.map((member) => ({ ...member, orgId }))))
  return picked
}

/**
 * Picks a member for each assignee: the one with the fewest chatrooms, and among those the one who was picked longest ago.
 * Brings the members up to date.
 * @throws RetryError for a group that has no member any more
 */
export function pickMembers(assignees: Assignee[], members: Member[], now: Date): string[] {
  return assignees.map((assignee) => {
    if ('userId' in assignee) return assignee.userId
    const group = members.filter(({ groupId }) => groupId === assignee.groupId)
    const [chosen] = group.toSorted(byTurn)
    if (!chosen) throw new RetryError('the last member of a group was removed meanwhile')
    const latest = Math.max(...group.map(({ lastAssignedAt }) => lastAssignedAt?.getTime() ?? 0))
    chosen.lastAssignedAt = new Date(Math.max(now.getTime(), latest + 1))
    chosen.rooms += 1
    return chosen.userId
  })
}

function byTurn(a: Member, b: Member): number {
  const waited = (a.lastAssignedAt?.getTime() ?? 0) - (b.lastAssignedAt?.getTime() ?? 0)
  return a.rooms - b.rooms || waited || (a.userId < b.userId ? -1 : 1)
}

type GroupKey = { orgId: string; groupId: string }
const GROUPS = columns<GroupKey>({ org_id: text((k) => k.orgId), group_id: text((k) => k.groupId) })

function lockMembersOf(groups: GroupKey[]): Statement<void> {
  return over(GROUPS, groups, {
    name: 'lock-members-of-groups',
    text: `select 1 from ${GROUPS.as('k')}
      join group_members g on g.org_id = k.org_id and g.group_id = k.group_id
      order by g.group_id, g.user_id for update of g`,
    read: nothing,
  })
}

function readMembersOf(groups: GroupKey[]): Statement<Member[]> {
  return over(GROUPS, groups, {
    name: 'read-members-of-groups',
    text: `select g.group_id as "groupId", g.user_id as "userId", g.last_assigned_at as "lastAssignedAt",
        (assigned.rooms + pending.rooms)::int as rooms
      from ${GROUPS.as('k')}
      join group_members g on g.org_id = k.org_id and g.group_id = k.group_id
      cross join lateral (
        select count(*) as rooms from chatrooms r
        where r.org_id = g.org_id and r.assigned_user_id = g.user_id
          and r.expired_at is null and r.deactivated_at is null) assigned
      cross join lateral (
        select count(*) as rooms from chatrooms r
        where r.org_id = g.org_id and r.pending_user_id = g.user_id
          and r.expired_at is null and r.deactivated_at is null) pending`,
    read: allRows<Member>,
  })
}

type UserKey = { orgId: string; userId: string }
const USERS = columns<UserKey>({ org_id: text((k) => k.orgId), user_id: text((k) => k.userId) })

/** As `lockUser` of `pickUser`, for several; gives how many there are. */
function lockUsers(users: UserKey[]): Statement<number> {
  return over(USERS, users, {
    name: 'lock-users',
    text: `select 1 from ${USERS.as('k')} join users u on u.org_id = k.org_id and u.id = k.user_id
      where u.removed_at is null order by u.id for key share of u`,
    read: rowCount,
  })
}

const MEMBERS = columns<Member & { orgId: string }>({
  org_id: text((m) => m.orgId),
  group_id: text((m) => m.groupId),
  user_id: text((m) => m.userId),
  last_assigned_at: timestamptz((m) => m.lastAssignedAt),
})

function markPicked(members: (Member & { orgId: string })[]): Statement<void> {
  return over(MEMBERS, members, {
    name: 'mark-picked-members',
    text: `update group_members g set last_assigned_at = u.last_assigned_at from ${MEMBERS.as('u')}
      where g.org_id = u.org_id and g.group_id = u.group_id and g.user_id = u.user_id
        and g.last_assigned_at is distinct from u.last_assigned_at`,
    read: nothing,
  })
}
