import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { groups } from '../db/schema/index.ts'
import { nothing, over, run, type Statement } from '../db/statement.ts'
import type { ProvisionOrg } from './provision-file.ts'
import { removeMembers } from './remove-members.ts'
import { removeUsers } from './remove-users.ts'

const ACTOR = 'provision'

/**
 * Writes an org's users and groups. A user whom the file lists is a user, also after a removal. The members of a group
 * become those of the file, if it gives any list of them. Removals come last (see `removeUsers`).
 */
export async function provisionPeople(tx: Db, org: ProvisionOrg): Promise<void> {
  const living = org.users.flatMap((user) => (user.removed ? [] : [user]))
  const restored = await run(tx, writeUsers(org.id, living))
  await recordEvents(
    tx,
    restored.map((id) => ({
      ...{ orgId: org.id, kind: 'user.restored' as const, actor: ACTOR, after: { user_id: id } },
    })),
  )
  for (const group of org.groups) {
    await tx
      .insert(groups)
      .values({ orgId: org.id, id: group.id, name: group.name })
      .onConflictDoUpdate({ target: [groups.orgId, groups.id], set: { name: group.name } })
    if (group.members) await setMembers(tx, org.id, group.id, group.members)
  }
  const missing = org.users_are_complete ? await run(tx, readOthers(org.id, living)) : []
  const leavers = [...org.users.flatMap((user) => (user.removed ? [user.id] : [])), ...missing]
  if (leavers.length > 0) await removeUsers(tx, { orgId: org.id, userIds: leavers, actor: ACTOR })
}

type Living = { id: string; email: string; name: string }

const USERS = columns<Living>({
  id: text((u) => u.id),
  email: text((u) => u.email),
  name: text((u) => u.name),
})

/** Gives the ids of the users who had been removed, and are back. */
function writeUsers(orgId: string, users: Living[]): Statement<string[]> {
  return over(USERS, users, {
    name: 'write-users',
    text: `with u as materialized (select * from ${USERS.as('u')}),
      back as materialized (
        select w.id from users w join u on u.id = w.id where w.org_id = $4 and w.removed_at is not null),
      written as (
        insert into users (org_id, id, email, name) select $4, id, email, name from u
        on conflict (org_id, id) do update set email = excluded.email, name = excluded.name,
          removed_at = null, released_at = null)
      select id from back`,
    values: [orgId],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  })
}

/** The users of the org who are not among these. */
function readOthers(orgId: string, users: Living[]): Statement<string[]> {
  return {
    name: 'read-other-users',
    text: 'select id from users where org_id = $1 and removed_at is null and id <> all($2::text[])',
    values: [orgId, users.map(({ id }) => id)],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

const MEMBERS = columns<string>({ user_id: text((id) => id) })

async function setMembers(tx: Db, orgId: string, groupId: string, members: string[]): Promise<void> {
  const add = over(MEMBERS, members, {
    name: 'add-group-members',
    text: `insert into group_members (org_id, group_id, user_id)
      select $2, $3, user_id from ${MEMBERS.as('m')} on conflict do nothing`,
    values: [orgId, groupId],
    read: nothing,
  })
  await removeMembers(tx, { orgId, groupId, staying: members, actor: ACTOR })
  await run(tx, add)
}
