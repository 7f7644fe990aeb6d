import { releaseChatrooms } from '../chatrooms/release-chatrooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { unparkDeliveries } from '../inbox/unpark.ts'
import { provisionAffiliates } from './provision-affiliates.ts'
import type { ProvisionFile, ProvisionOrg } from './provision-file.ts'
import { provisionPeople } from './provision-people.ts'
import { provisionWabas } from './provision-wabas.ts'
import { writeOrg } from './write-org.ts'

/**
 * Applies a provision file in one transaction; applying it again changes nothing. What the file leaves out is kept,
 * single settings too; the members of a group, if the file gives them, become exactly those of the file. Afterwards the parked deliveries of every number and WABA that is now known are due for routing, and
 * the chatrooms of removed users are released.
 * @returns the number of orgs and numbers in the file, of deliveries that are no longer parked, and of chatrooms released
 * @throws ProvisionError when a number or WABA belongs to another org, when an affiliate's phone has another contact, or
 * when a token cannot be encrypted because SECRETS_KEY is not set
 */
export async function provision(
  db: Db,
  file: ProvisionFile,
  secretsKey: Buffer | undefined,
): Promise<{ orgs: number; phones: number; unparked: number; released: number }> {
  const done = await inRetriedTransaction(db, async (tx) => {
    // Customers are locked org by org.
    for (const org of file.orgs.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
      await provisionOrg(tx, org, secretsKey)
    const unparked = await unparkDeliveries(tx)
    const phones = file.orgs.flatMap((o) => o.wabas.flatMap((w) => w.phones)).length
    return { orgs: file.orgs.length, phones, unparked }
  })
  return { ...done, released: await releaseChatrooms(db) }
}

async function provisionOrg(tx: Db, org: ProvisionOrg, secretsKey: Buffer | undefined): Promise<void> {
  await writeOrg(tx, org, 'provision')
  await provisionWabas(tx, org, secretsKey)
  await provisionAffiliates(tx, org)
  await provisionPeople(tx, org)
}
