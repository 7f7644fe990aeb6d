import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { metaObjects, wabaPhones, wabas } from '../db/schema/index.ts'
import { encryptSecret } from '../secrets.ts'
import { ProvisionError, type ProvisionOrg } from './provision-file.ts'

type Waba = ProvisionOrg['wabas'][number]
type WabaPhone = Waba['phones'][number]

/**
 * Writes an org's WABAs and numbers. A number's position is its place in the file: `createChatroom` prefers the first.
 * @throws ProvisionError when one of them belongs to another org, or a token needs SECRETS_KEY
 */
export async function provisionWabas(
  tx: Db,
  org: ProvisionOrg,
  secretsKey: Buffer | undefined,
): Promise<void> {
  let position = 0
  for (const waba of org.wabas) {
    await provisionWaba(tx, org.id, waba, secretsKey)
    for (const phone of waba.phones) await provisionPhone(tx, org.id, waba, phone, position++)
  }
}

async function provisionWaba(
  tx: Db,
  orgId: string,
  waba: Waba,
  secretsKey: Buffer | undefined,
): Promise<void> {
  await claimMetaObject(tx, 'waba', waba.id, orgId)
  const columns = {
    name: waba.name,
    ...(waba.matrix_host_name !== undefined && { matrixHostName: waba.matrix_host_name }),
    ...(waba.access_token !== undefined && {
      accessToken: encryptToken(waba.access_token, secretsKey, orgId, waba.id),
    }),
  }
  await tx
    .insert(wabas)
    .values({ orgId, id: waba.id, ...columns })
    .onConflictDoUpdate({ target: [wabas.orgId, wabas.id], set: columns })
}

/** A number that Meta has stopped may send again when the file has a token for its WABA. */
async function provisionPhone(
  tx: Db,
  orgId: string,
  waba: Waba,
  phone: WabaPhone,
  position: number,
): Promise<void> {
  await claimMetaObject(tx, 'phone', phone.id, orgId)
  const columns = {
    wabaId: waba.id,
    displayPhoneNumber: phone.display_phone_number,
    position,
    ...(waba.access_token !== undefined && { stoppedAt: null, stoppedReason: null }),
  }
  await tx
    .insert(wabaPhones)
    .values({ orgId, id: phone.id, ...columns })
    .onConflictDoUpdate({ target: [wabaPhones.orgId, wabaPhones.id], set: columns })
}

/** Records which org an id of Meta belongs to; a webhook names the id, and not the org. */
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
  if (rows.length === 0) throw new ProvisionError(`the ${kind} ${id} belongs to another org`)
}

function encryptToken(token: string, key: Buffer | undefined, orgId: string, wabaId: string): Buffer {
  if (!key)
    throw new ProvisionError('the file has an access_token: SECRETS_KEY must be set, which encrypts it')
  return encryptSecret(token, key, `${orgId}/${wabaId}`)
}
