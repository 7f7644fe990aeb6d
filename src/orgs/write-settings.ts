import { isDeepStrictEqual } from 'node:util'
import { eq, sql } from 'drizzle-orm'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import { findAssignee } from '../chatrooms/pick-assignee.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { type Org, orgs } from '../db/schema/index.ts'
import { ApiError } from '../errors.ts'
import { type Settings, settingsOf, settingsToColumns } from './settings.ts'

/**
 * Replaces all settings of an org and records the change. Writing the same settings again changes nothing.
 * @throws ApiError USER_NOT_FOUND or GROUP_NOT_FOUND for a delegate that the org does not have, FORBIDDEN for an org that
 * does not exist
 */
export async function writeSettings(
  db: Db,
  { orgId, settings, actor }: { orgId: string; settings: Settings; actor: string },
): Promise<Settings> {
  return inRetriedTransaction(db, async (tx) => {
    const [org] = await tx.select().from(orgs).where(eq(orgs.id, orgId)).for('no key update')
    if (!org) throw new ApiError('FORBIDDEN')
    if (settings.delegate && !isDeepStrictEqual(settingsOf(org), settings))
      await findAssignee(tx, { id: orgId, ...settingsToColumns(settings) }, { mode: 'DELEGATE' })
    await changeSettings(tx, { org, settings, actor })
    return settings
  })
}

/** Gives an org, whose row is locked, these settings, with the audit; the same settings again change nothing. */
export async function changeSettings(
  tx: Db,
  { org, settings, actor }: { org: Org; settings: Settings; actor: string },
): Promise<void> {
  const before = settingsOf(org)
  if (isDeepStrictEqual(before, settings)) return
  await tx
    .update(orgs)
    .set({ ...settingsToColumns(settings), updatedAt: sql`now()` })
    .where(eq(orgs.id, org.id))
  const change = { kind: 'org.settings_changed' as const, reason: ASKED_FOR, before, after: settings }
  await recordEvents(tx, [{ orgId: org.id, actor, ...change }])
}
