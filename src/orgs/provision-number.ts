import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { firstRow, nothing, run, type Statement } from '../db/statement.ts'
import { claimMetaObject } from './claim-meta-object.ts'
import { mergeNumbers } from './merge-numbers.ts'
import { type KnownNumberOfWaba, moveNumber, readNumbers } from './move-number.ts'
import { numberChange, replacedFirst } from './number-change.ts'
import { ProvisionError } from './provision-error.ts'
import type { WantedNumber } from './provision-parts.ts'

/**
 * Creates numbers, changes them, or moves them: with `replaces`, the number of that id goes on under the new id and WABA, with
 * all that belongs to it (docs/rules.md#a-number-that-moves). A former id changes nothing. The WABAs must exist, and the
 * org's row must be locked, so that the changes of an org's numbers wait for each other.
 * @throws ProvisionError when an id belongs to another org, a number cannot replace another one, or a new number lacks a field
 */
export async function provisionNumbers(
  tx: Db,
  orgId: string,
  wanted: WantedNumber[],
  actor: string,
): Promise<void> {
  for (const number of replacedFirst(wanted)) await provisionNumber(tx, orgId, number, actor)
}

async function provisionNumber(tx: Db, orgId: string, number: WantedNumber, actor: string): Promise<void> {
  const { id, replaces } = number
  const known = await run(tx, readNumbers(orgId, replaces === undefined ? [id] : [id, replaces]))
  const replaced = replaces === undefined ? undefined : known.get(replaces)
  const change = numberChange(number, known.get(id), replaced)
  if (change.kind === 'refuse') throw new ProvisionError('NUMBER_CANNOT_REPLACE', change.reason)
  if (change.kind === 'keep') return
  await claimMetaObject(tx, 'phone', id, orgId)
  const row = await complete(tx, orgId, number, replaced ?? known.get(id))
  if (replaced && change.kind === 'move') await replace(tx, { orgId, id, row, replaced, actor })
  if (replaced && change.kind === 'merge')
    await replace(tx, { orgId, id, row, replaced, actor, otherId: change.otherId })
  const phoneId = change.kind === 'create' ? id : change.phoneId
  await writeNumber(tx, orgId, phoneId, row)
  if (change.kind === 'create' || change.kind === 'update')
    await recordWritten(tx, { orgId, id, row, known: replaced ?? known.get(id), actor })
}

type Row = { wabaId: string; displayPhoneNumber: string; position: number }

/** What the number is to be: what is given, else what it is now; a new number is the last one of its org. */
async function complete(
  tx: Db,
  orgId: string,
  { id, wabaId, display_phone_number, position }: WantedNumber,
  known: KnownNumberOfWaba | undefined,
): Promise<Row> {
  const [waba, shown] = [wabaId ?? known?.wabaId, display_phone_number ?? known?.displayPhoneNumber]
  if (waba === undefined || shown === undefined) {
    const lacking = waba === undefined ? 'waba_id' : 'display_phone_number'
    throw new ProvisionError('INVALID_INPUT', `the number ${id} is new: ${lacking} is required`)
  }
  const place = await run(tx, readPlace(orgId, waba))
  if (!place) throw new ProvisionError('WABA_NOT_FOUND', `the number ${id} names an unknown WABA`)
  return { wabaId: waba, displayPhoneNumber: shown, position: position ?? known?.position ?? place.next }
}

/** The place of a further number; undefined if the org has no such WABA. */
function readPlace(orgId: string, wabaId: string): Statement<{ next: number } | undefined> {
  return {
    text: `select (select coalesce(max(position), -1) + 1 from waba_phones where org_id = $1) as next
      from wabas where org_id = $1 and id = $2`,
    values: [orgId, wabaId],
    read: firstRow<{ next: number }>,
  }
}

type Replacement = {
  orgId: string
  id: string
  row: Row
  replaced: KnownNumberOfWaba
  actor: string
  /** The number as which the new id was provisioned before. */
  otherId?: string
}

async function replace(tx: Db, { orgId, id: to, row, replaced, actor, otherId }: Replacement): Promise<void> {
  const { phoneId, remoteId: from, wabaId, displayPhoneNumber } = replaced
  const merged = otherId && (await mergeNumbers(tx, { orgId, phoneId, otherId, from, to }))
  await run(tx, moveNumber({ orgId, phoneId, to }))
  const isShownOtherwise = displayPhoneNumber !== row.displayPhoneNumber
  const shownAs = (number: string) => isShownOtherwise && { display_phone_number: number }
  const before = { remote_phone_id: from, remote_waba_id: wabaId, ...shownAs(displayPhoneNumber) }
  const ids = { remote_phone_id: to, remote_waba_id: row.wabaId }
  const after = { ...ids, ...shownAs(row.displayPhoneNumber), ...(merged && { merged }) }
  await recordEvents(tx, [{ orgId, kind: 'number.moved', actor, reason: ASKED_FOR, before, after }])
}

async function writeNumber(tx: Db, orgId: string, phoneId: string, row: Row): Promise<void> {
  await run(tx, {
    text: `insert into waba_phones (org_id, id, waba_id, display_phone_number, position) values ($1, $2, $3, $4, $5)
      on conflict (org_id, id) do update set waba_id = excluded.waba_id,
        display_phone_number = excluded.display_phone_number, position = excluded.position`,
    values: [orgId, phoneId, row.wabaId, row.displayPhoneNumber, row.position],
    read: nothing,
  })
}

type Written = {
  orgId: string
  id: string
  row: Row
  known: KnownNumberOfWaba | undefined
  actor: string
}

/** The place among the numbers is no change that the audit names: it follows the order of the file. */
async function recordWritten(tx: Db, { orgId, id, row, known, actor }: Written): Promise<void> {
  const { wabaId, displayPhoneNumber } = row
  if (known && known.wabaId === wabaId && known.displayPhoneNumber === displayPhoneNumber) return
  const kind = known ? ('number.updated' as const) : ('number.created' as const)
  const before = known && { remote_waba_id: known.wabaId, display_phone_number: known.displayPhoneNumber }
  const after = { remote_phone_id: id, remote_waba_id: wabaId, display_phone_number: displayPhoneNumber }
  await recordEvents(tx, [{ orgId, kind, actor, reason: ASKED_FOR, ...(before && { before }), after }])
}
