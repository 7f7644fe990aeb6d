import { sql } from 'drizzle-orm'
import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { wabaPhones } from '../db/schema/index.ts'
import { nothing, run, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import { POSITION_OF_ROW } from '../event-log/position.ts'
import { claimMetaObject } from './claim-meta-object.ts'
import { mergeNumbers } from './merge-numbers.ts'
import { type KnownNumberOfWaba, moveNumber, readNumbers } from './move-number.ts'
import { type NamedNumber, numberChange } from './number-change.ts'
import { ProvisionError } from './provision-file.ts'

/** A number of an org as it is to be. `mayStart`: it has an access token now, so a number that was stopped may send again. */
export type ProvisionedNumber = NamedNumber & {
  wabaId: string
  displayPhoneNumber: string
  position: number
  mayStart: boolean
}

/**
 * Creates a number, updates it, or moves it: with `replaces`, the number of that id goes on under the new id and WABA,
 * with all that belongs to it (docs/rules.md#a-number-that-moves). A former id changes nothing. The WABA must exist, and
 * the org's row must be locked, so that the changes of an org's numbers wait for each other.
 * @throws ProvisionError when the id belongs to another org, or the number cannot replace the other one
 */
export async function provisionNumber(
  tx: Db,
  orgId: string,
  number: ProvisionedNumber,
  actor: string,
): Promise<void> {
  const { id, replaces } = number
  const known = await run(tx, readNumbers(orgId, replaces === undefined ? [id] : [id, replaces]))
  const replaced = replaces === undefined ? undefined : known.get(replaces)
  const change = numberChange(number, known.get(id), replaced)
  if (change.kind === 'refuse') throw new ProvisionError(change.reason)
  if (change.kind === 'keep') return
  await claimMetaObject(tx, 'phone', id, orgId)
  if (replaced && change.kind === 'move') await replace(tx, { orgId, number, replaced, actor })
  if (replaced && change.kind === 'merge') {
    await replace(tx, { orgId, number, replaced, actor, otherId: change.otherId })
  }
  await writeNumber(tx, orgId, change.kind === 'create' ? id : change.phoneId, number)
}

type Replacement = {
  orgId: string
  number: ProvisionedNumber
  replaced: KnownNumberOfWaba
  actor: string
  /** The number as which the new id was provisioned before. */
  otherId?: string
}

async function replace(tx: Db, { orgId, number, replaced, actor, otherId }: Replacement): Promise<void> {
  const { phoneId, remoteId: from, wabaId } = replaced
  const { id: to } = number
  const merged = otherId && (await mergeNumbers(tx, { orgId, phoneId, otherId, from, to }))
  await run(tx, moveNumber({ orgId, phoneId, to }))
  const before = { remote_phone_id: from, remote_waba_id: wabaId }
  const after = { remote_phone_id: to, remote_waba_id: number.wabaId, ...(merged && { merged }) }
  await recordEvents(tx, [{ orgId, kind: 'number.moved', actor, reason: ASKED_FOR, before, after }])
}

async function writeNumber(
  tx: Db,
  orgId: string,
  phoneId: string,
  { wabaId, displayPhoneNumber, position, mayStart }: ProvisionedNumber,
): Promise<void> {
  if (mayStart) await run(tx, logResumed(orgId, phoneId))
  const columns = {
    ...{ wabaId, displayPhoneNumber, position },
    ...(mayStart && { stoppedAt: null, stoppedReason: null }),
  }
  const resumed = { ...columns, ...(mayStart && { resumedAt: sql`now()` }) }
  await tx
    .insert(wabaPhones)
    .values({ orgId, id: phoneId, ...columns })
    .onConflictDoUpdate({ target: [wabaPhones.orgId, wabaPhones.id], set: resumed })
}

/** Logs that a number may send again, if it is stopped. */
function logResumed(orgId: string, phoneId: string): Statement<void> {
  const stopped = `(select org_id, 'number.resumed' as type, json_build_object('remote_phone_id', remote_id) as data
    from waba_phones where org_id = $1 and id = $2 and stopped_at is not null for update) as stopped`
  return {
    text: logSql(stopped, 'org_id, type, data', POSITION_OF_ROW),
    values: [orgId, phoneId],
    read: nothing,
  }
}
