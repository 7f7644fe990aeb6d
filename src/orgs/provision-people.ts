import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { groups, users } from '../db/schema/index.ts'
import { nothing, over, type Statement, send } from '../db/statement.ts'
import type { ProvisionOrg } from './provision-file.ts'

/** Writes an org's users and groups. The members of a group become exactly those of the file. */
export async function provisionPeople(tx: Db, org: ProvisionOrg): Promise<void> {
  for (const user of org.users) {
    const columns = { email: user.email, name: user.name }
    await tx
      .insert(users)
      .values({ orgId: org.id, id: user.id, ...columns })
      .onConflictDoUpdate({ target: [users.orgId, users.id], set: columns })
  }
  for (const group of org.groups) {
    await tx
      .insert(groups)
      .values({ orgId: org.id, id: group.id, name: group.name })
      .onConflictDoUpdate({ target: [groups.orgId, groups.id], set: { name: group.name } })
    await setMembers(tx, org.id, group.id, group.members)
  }
}

const MEMBERS = columns<string>({ user_id: text((id) => id) })

async function setMembers(tx: Db, orgId: string, groupId: string, members: string[]): Promise<void> {
  const remove: Statement<void> = {
    name: 'remove-group-members',
    text: `delete from group_members
      where org_id = $1 and group_id = $2 and user_id <> all($3::text[])`,
    values: [orgId, groupId, members],
    read: nothing,
  }
  const add = over(MEMBERS, members, {
    name: 'add-group-members',
    text: `insert into group_members (org_id, group_id, user_id)
      select $2, $3, m.user_id from ${MEMBERS.as('m')} on conflict do nothing`,
    values: [orgId, groupId],
    read: nothing,
  })
  await send(tx, [remove, add])
}
