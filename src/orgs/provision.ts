import { releaseChatrooms } from '../chatrooms/release-chatrooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { unparkDeliveries } from '../inbox/unpark.ts'
import { provisionAffiliates } from './provision-affiliates.ts'
import { ProvisionError } from './provision-error.ts'
import { provisionGroups } from './provision-groups.ts'
import { mistakesOf } from './provision-mistakes.ts'
import { provisionNumbers } from './provision-number.ts'
import type { WantedOrg } from './provision-parts.ts'
import { provisionUsers, readOtherUsers } from './provision-users.ts'
import { provisionWabas, resumeNumbers } from './provision-wabas.ts'
import type { Provisioner } from './provisioner.ts'
import { removeUsers } from './remove-users.ts'
import { openOrgRow, writeSettingsOf } from './write-org.ts'

type Provisioned = { orgs: number; phones: number; unparked: number; released: number }

/**
 * Makes orgs what they are to become, in one transaction; doing it again changes nothing. What is left out is kept, single
 * settings and fields too; the members of a group, if they are given, become exactly those. Every change is in the audit.
 * Afterwards the parked deliveries of every number and WABA that is now known are due for routing, and the chatrooms of
 * removed users are released.
 * @returns the number of orgs and numbers given, of deliveries that are no longer parked, and of chatrooms released
 * @throws ProvisionError when something is refused: an id of another org, a number that cannot replace another one, a new
 * part that lacks a field, a reference to nothing, a token without SECRETS_KEY
 */
export async function provision(
  db: Db,
  wanted: WantedOrg[],
  secretsKey: Buffer | undefined,
  actor = 'provision',
): Promise<Provisioned> {
  const unparked = await inRetriedTransaction(db, async (tx) => {
    // Customers are locked org by org.
    for (const org of wanted.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
      await provisionOrg(tx, org, { actor, secretsKey })
    const isFound = wanted.some(({ wabas = [], numbers = [] }) => wabas.length + numbers.length > 0)
    return isFound ? unparkDeliveries(tx) : 0
  })
  const phones = wanted.flatMap(({ numbers = [] }) => numbers).length
  return { orgs: wanted.length, phones, unparked, released: await releaseChatrooms(db) }
}

/**
 * As `provision`, for one org.
 * @throws ProvisionError INVALID_INPUT for an id that is given twice, and other mistakes of `mistakesOf`
 */
export async function provisionOne(
  db: Db,
  wanted: WantedOrg,
  { actor, secretsKey }: Provisioner,
): Promise<void> {
  const mistakes = mistakesOf(wanted)
  if (mistakes.length > 0) throw new ProvisionError('INVALID_INPUT', mistakes.join('; '))
  await provision(db, [wanted], secretsKey, actor)
}

/** Makes one org what it is to become, as `provision` does. */
async function provisionOrg(tx: Db, wanted: WantedOrg, by: Provisioner): Promise<void> {
  const org = await openOrgRow(tx, wanted, by.actor)
  const { wabas = [], numbers = [], affiliates = [], users = [], groups = [] } = wanted
  const tokens = await provisionWabas(tx, org.id, wabas, by)
  await provisionNumbers(tx, org.id, numbers, by.actor)
  await resumeNumbers(tx, org.id, tokens)
  await provisionAffiliates(tx, org.id, affiliates, by.actor)
  await provisionUsers(tx, org.id, users, by.actor)
  await provisionGroups(tx, org.id, groups, by.actor)
  if (wanted.settings) await writeSettingsOf(tx, { org, change: wanted.settings, actor: by.actor })
  const missing = wanted.usersAreComplete ? await readOtherUsers(tx, org.id, users) : []
  const userIds = [...(wanted.leavers ?? []), ...missing]
  // Removals come last (see `removeUsers`).
  if (userIds.length > 0) await removeUsers(tx, { orgId: org.id, userIds, actor: by.actor })
}
