import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { groupMembers, groups, users } from '../db/schema/index.ts'
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

async function setMembers(tx: Db, orgId: string, groupId: string, members: string[]): Promise<void> {
  await tx.execute(sql`delete from ${groupMembers}
    where org_id = ${orgId} and group_id = ${groupId} and user_id <> all(${sql.param(members)}::text[])`)
  await tx.execute(sql`insert into ${groupMembers} (org_id, group_id, user_id)
    select ${orgId}, ${groupId}, user_id from unnest(${sql.param(members)}::text[]) as user_id
    on conflict do nothing`)
}
