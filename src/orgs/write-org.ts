import { eq, sql } from 'drizzle-orm'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { type Org, orgs } from '../db/schema/index.ts'
import { rowCount, run } from '../db/statement.ts'
import { ProvisionError } from './provision-error.ts'
import { UNKNOWN_DELEGATE } from './provision-mistakes.ts'
import { readStrangers } from './provision-users.ts'
import { changedSettings, type Settings, type SettingsChange, settingsOf } from './settings.ts'
import { changeSettings } from './write-settings.ts'

/**
 * Creates an org if there is none and a name is given, or gives it that name. The org's row is locked afterwards, so
 * changes of one org wait for each other.
 * @throws ProvisionError NOT_FOUND or INVALID_INPUT for an org that does not exist and has no name,
 * ORG_IS_BEING_DELETED
 */
export async function openOrgRow(
  tx: Db,
  { id, name }: { id: string; name?: string | undefined },
  actor: string,
): Promise<Org> {
  const created = name === undefined ? [] : await insertOrg(tx, id, name)
  if (created[0]) {
    await recordEvents(tx, [{ orgId: id, kind: 'org.created', actor, reason: ASKED_FOR, after: { name } }])
    return created[0]
  }
  const [org] = await tx.select().from(orgs).where(eq(orgs.id, id)).for('no key update')
  if (!org) throw new ProvisionError('NOT_FOUND', `There is no org ${id}; a new one needs a name.`)
  if (org.deletingAt) throw new ProvisionError('ORG_IS_BEING_DELETED', `The org ${id} is being deleted.`)
  if (name === undefined || org.name === name) return org
  await tx.update(orgs).set({ name, updatedAt: sql`now()` }).where(eq(orgs.id, id))
  const change = { before: { name: org.name }, after: { name } }
  await recordEvents(tx, [{ orgId: id, kind: 'org.renamed', actor, reason: ASKED_FOR, ...change }])
  return { ...org, name }
}

function insertOrg(tx: Db, id: string, name: string): Promise<Org[]> {
  return tx.insert(orgs).values({ id, name }).onConflictDoNothing().returning()
}

/**
 * Changes some settings of an org whose row is locked, and keeps the others.
 * @throws ProvisionError for a delegate that the org does not have
 */
export async function writeSettingsOf(
  tx: Db,
  { org, change, actor }: { org: Org; change: SettingsChange; actor: string },
): Promise<void> {
  const settings = changedSettings(settingsOf(org), change)
  if (change.delegate) await refuseUnknownDelegate(tx, org.id, change.delegate)
  await changeSettings(tx, { org, settings, actor })
}

async function refuseUnknownDelegate(
  tx: Db,
  orgId: string,
  delegate: NonNullable<Settings['delegate']>,
): Promise<void> {
  if ('user_id' in delegate) {
    const strangers = await run(tx, readStrangers(orgId, [delegate.user_id]))
    if (strangers.length > 0) throw new ProvisionError('USER_NOT_FOUND', UNKNOWN_DELEGATE.user_id)
    return
  }
  const found = await run(tx, {
    text: 'select from groups where org_id = $1 and id = $2',
    values: [orgId, delegate.group_id],
    read: rowCount,
  })
  if (found === 0) throw new ProvisionError('GROUP_NOT_FOUND', UNKNOWN_DELEGATE.group_id)
}
