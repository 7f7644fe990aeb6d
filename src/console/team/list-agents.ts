import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A user of an org who was not removed, with what the user has to do. Counts end at `MAX_COUNTED` + 1. */
export type Agent = {
  id: string
  name: string
  groups: string[]
  activeRooms: number
  handovers: number
}

/** Counts beyond this are shown as "1,000+": nobody works on so many, and a page must not count for long. */
export const MAX_COUNTED = 1_000

/** A page shows so many users. */
export const MAX_AGENTS = 200

const counted = (rooms: string) => `(select count(*)::int from (
        select from chatrooms r where r.org_id = u.org_id and ${rooms} limit ${MAX_COUNTED + 1}) r)`

/** The users of an org, or of one of its groups, by name; one more than `MAX_AGENTS` if there are more. */
export function listAgents(db: Db, orgId: string, groupId: string | undefined): Promise<Agent[]> {
  return run(db, {
    name: 'console-agents',
    text: `select u.id, u.name,
        array(select g.name from group_members m join groups g on g.org_id = m.org_id and g.id = m.group_id
          where m.org_id = u.org_id and m.user_id = u.id order by lower(g.name), g.id) as groups,
        ${counted('r.assigned_user_id = u.id and r.expired_at is null and r.deactivated_at is null')} as "activeRooms",
        ${counted('r.pending_user_id = u.id')} as handovers
      from (
        select org_id, id, name from users
        where org_id = $1 and removed_at is null and ($2::text is null or exists (
          select from group_members m where m.org_id = $1 and m.group_id = $2 and m.user_id = users.id))
        order by lower(name), id limit ${MAX_AGENTS + 1}) u
      order by lower(u.name), u.id`,
    values: [orgId, groupId ?? null],
    read: allRows<Agent>,
  })
}

export type GroupName = { id: string; name: string }

/** The first 200 groups of an org by name. */
export function listGroups(db: Db, orgId: string): Promise<GroupName[]> {
  return run(db, {
    name: 'console-groups',
    text: 'select id, name from groups where org_id = $1 order by lower(name), id limit 200',
    values: [orgId],
    read: allRows<GroupName>,
  })
}
