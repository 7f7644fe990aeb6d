import { sql } from 'drizzle-orm'
import { type Db, inTransaction } from '../db/client.ts'
import { groupMembers, groups, metaObjects, orgs, users, wabaPhones, wabas } from '../db/schema/index.ts'
import { unparkDeliveries } from '../inbox/unpark.ts'
import { encryptSecret } from '../secrets.ts'
import { provisionAffiliates } from './provision-affiliates.ts'
import { ProvisionError, type ProvisionFile, type ProvisionOrg } from './provision-file.ts'
import { settingsToColumns } from './settings.ts'

/**
 * Applies a provision file, all of it or nothing; applying it again changes nothing. What the file leaves out is
 * kept, except group members, which become exactly the file's. Deliveries that waited for a number are freed.
 * @throws ProvisionError when a number or WABA belongs to another org, or a token needs SECRETS_KEY.
 */
export async function provision(
  db: Db,
  file: ProvisionFile,
  secretsKey: Buffer | undefined,
): Promise<{ orgs: number; phones: number; unparked: number }> {
  return inTransaction(db, async (tx) => {
    for (const org of file.orgs) await provisionOrg(tx, org, secretsKey)
    const unparked = await unparkDeliveries(tx)
    const phones = file.orgs.flatMap((o) => o.wabas.flatMap((w) => w.phones)).length
    return { orgs: file.orgs.length, phones, unparked }
  })
}

async function provisionOrg(tx: Db, org: ProvisionOrg, secretsKey: Buffer | undefined): Promise<void> {
  const columns = { name: org.name, ...settingsToColumns(org.settings) }
  await tx
    .insert(orgs)
    .values({ id: org.id, ...columns })
    .onConflictDoUpdate({ target: orgs.id, set: { ...columns, updatedAt: sql`now()` } })
  await provisionWabas(tx, org, secretsKey)
  await provisionPeople(tx, org)
  await provisionAffiliates(tx, org)
}

async function provisionWabas(tx: Db, org: ProvisionOrg, secretsKey: Buffer | undefined): Promise<void> {
  let position = 0
  for (const waba of org.wabas) {
    await claimMetaObject(tx, 'waba', waba.id, org.id)
    const columns = {
      name: waba.name,
      ...(waba.matrix_host_name !== undefined && { matrixHostName: waba.matrix_host_name }),
      ...(waba.access_token !== undefined && {
        accessToken: seal(waba.access_token, secretsKey, org.id, waba.id),
      }),
    }
    await tx
      .insert(wabas)
      .values({ orgId: org.id, id: waba.id, ...columns })
      .onConflictDoUpdate({ target: [wabas.orgId, wabas.id], set: columns })
    for (const phone of waba.phones) {
      await claimMetaObject(tx, 'phone', phone.id, org.id)
      // A new token is what a stopped number waits for.
      const resumed = waba.access_token === undefined ? {} : { stoppedAt: null, stoppedReason: null }
      const phoneColumns = {
        wabaId: waba.id,
        displayPhoneNumber: phone.display_phone_number,
        position: position++,
        ...resumed,
      }
      await tx
        .insert(wabaPhones)
        .values({ orgId: org.id, id: phone.id, ...phoneColumns })
        .onConflictDoUpdate({ target: [wabaPhones.orgId, wabaPhones.id], set: phoneColumns })
    }
  }
}

async function claimMetaObject(tx: Db, kind: 'phone' | 'waba', id: string, orgId: string): Promise<void> {
  const rows = await tx
    .insert(metaObjects)
    .values({ kind, id, orgId })
    .onConflictDoUpdate({
      target: [metaObjects.kind, metaObjects.id],
      set: { id },
      setWhere: sql`${metaObjects.orgId} = ${orgId}`,
    })
    .returning({ orgId: metaObjects.orgId })
  if (rows.length === 0) throw new ProvisionError(`the ${kind} ${id} belongs to another org already`)
}

function seal(token: string, key: Buffer | undefined, orgId: string, wabaId: string): Buffer {
  if (!key)
    throw new ProvisionError('the file has an access_token: set SECRETS_KEY, with which it is encrypted')
  return encryptSecret(token, key, `${orgId}/${wabaId}`)
}

async function provisionPeople(tx: Db, org: ProvisionOrg): Promise<void> {
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
