import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { wabaPhones } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { claimMetaObject } from './claim-meta-object.ts'
import { moveNumber, readNumbers } from './move-number.ts'
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
  if (change.kind === 'merge') throw new ProvisionError(`${id} is a number of its own already`)
  if (change.kind === 'move') await run(tx, moveNumber({ orgId, phoneId: change.phoneId, to: id }))
  await writeNumber(tx, orgId, change.kind === 'create' ? id : change.phoneId, number)
  if (change.kind === 'move' && replaced) {
    const before = { remote_phone_id: replaced.remoteId, remote_waba_id: replaced.wabaId }
    const after = { remote_phone_id: id, remote_waba_id: number.wabaId }
    await recordEvents(tx, [{ orgId, kind: 'number.moved', actor, reason: 'asked for', before, after }])
  }
}

async function writeNumber(
  tx: Db,
  orgId: string,
  phoneId: string,
  { wabaId, displayPhoneNumber, position, mayStart }: ProvisionedNumber,
): Promise<void> {
  const columns = {
    ...{ wabaId, displayPhoneNumber, position },
    ...(mayStart && { stoppedAt: null, stoppedReason: null }),
  }
  await tx
    .insert(wabaPhones)
    .values({ orgId, id: phoneId, ...columns })
    .onConflictDoUpdate({ target: [wabaPhones.orgId, wabaPhones.id], set: columns })
}
