import { eq, sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { orgs } from '../db/schema/index.ts'
import type { ProvisionOrg } from './provision-file.ts'
import { changedSettings, settingsOf, settingsToColumns } from './settings.ts'
import { changeSettings } from './write-settings.ts'

/**
 * Creates an org, or changes its name and those settings that are given, with the audit of changed settings. Afterwards the
 * org's row is locked, so changes of one org wait for each other.
 */
export async function writeOrg(
  tx: Db,
  { id, name, settings }: Pick<ProvisionOrg, 'id' | 'name' | 'settings'>,
  actor: string,
): Promise<void> {
  const created = await tx
    .insert(orgs)
    .values({ id, name, ...settingsToColumns(changedSettings(undefined, settings)) })
    .onConflictDoNothing()
    .returning({ id: orgs.id })
  if (created.length > 0) return
  const [org] = await tx.select().from(orgs).where(eq(orgs.id, id)).for('no key update')
  if (!org) throw new Error('the org was deleted meanwhile')
  if (org.name !== name) await tx.update(orgs).set({ name, updatedAt: sql`now()` }).where(eq(orgs.id, id))
  await changeSettings(tx, { org, settings: changedSettings(settingsOf(org), settings), actor })
}
