import type { Db } from '../db/client.ts'
import { wabas } from '../db/schema/index.ts'
import { encryptSecret } from '../secrets.ts'
import { claimMetaObject } from './claim-meta-object.ts'
import { replacedFirst } from './number-change.ts'
import { ProvisionError, type ProvisionOrg } from './provision-file.ts'
import { provisionNumber } from './provision-number.ts'

type Waba = ProvisionOrg['wabas'][number]

/**
 * Writes an org's WABAs and numbers. A number's position is its place in the file: `createChatroom` prefers the first. A
 * number that Meta has stopped may send again when the file has a token for its WABA. The org's row must be locked.
 * @throws ProvisionError when one of them belongs to another org, a number cannot replace another one, or a token needs
 * SECRETS_KEY
 */
export async function provisionWabas(
  tx: Db,
  org: ProvisionOrg,
  secretsKey: Buffer | undefined,
): Promise<void> {
  for (const waba of org.wabas) await provisionWaba(tx, org.id, waba, secretsKey)
  for (const number of replacedFirst(numbersOf(org))) await provisionNumber(tx, org.id, number, 'provision')
}

function numbersOf(org: ProvisionOrg) {
  const numbers = org.wabas.flatMap((waba) =>
    waba.phones.map((phone) => ({
      ...{ id: phone.id, replaces: phone.replaces, wabaId: waba.id },
      displayPhoneNumber: phone.display_phone_number,
      mayStart: waba.access_token !== undefined,
    })),
  )
  return numbers.map((number, position) => ({ ...number, position }))
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

function encryptToken(token: string, key: Buffer | undefined, orgId: string, wabaId: string): Buffer {
  if (!key)
    throw new ProvisionError('the file has an access_token: SECRETS_KEY must be set, which encrypts it')
  return encryptSecret(token, key, `${orgId}/${wabaId}`)
}
