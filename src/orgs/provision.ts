import { sql } from 'drizzle-orm'
import { releaseChatrooms } from '../chatrooms/release-chatrooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { orgs } from '../db/schema/index.ts'
import { unparkDeliveries } from '../inbox/unpark.ts'
import { provisionAffiliates } from './provision-affiliates.ts'
import type { ProvisionFile, ProvisionOrg } from './provision-file.ts'
import { provisionPeople } from './provision-people.ts'
import { provisionWabas } from './provision-wabas.ts'
import { settingsToColumns } from './settings.ts'

/**
 * Applies a provision file in one transaction; applying it again changes nothing. What the file leaves out is kept. The
 * settings, if there are any, replace all settings, and the members of a group, if the file gives them, become exactly
 * those of the file. Afterwards the parked deliveries of every number and WABA that is now known are due for routing, and
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
  const columns = { name: org.name, ...(org.settings && settingsToColumns(org.settings)) }
  await tx
    .insert(orgs)
    .values({ id: org.id, ...columns })
    .onConflictDoUpdate({ target: orgs.id, set: { ...columns, updatedAt: sql`now()` } })
  await provisionWabas(tx, org, secretsKey)
  await provisionAffiliates(tx, org)
  await provisionPeople(tx, org)
}
