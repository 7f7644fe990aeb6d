import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { firstRow, nothing, rowCount, run, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import { lockOrg } from './lock-org.ts'
import { type KnownNumberOfWaba, readNumbers } from './move-number.ts'
import { pauseRouting } from './pause-routing.ts'

type Part = { orgId: string; id: string; actor: string }

/**
 * Removes a WABA that has no numbers any more. Later webhooks of it are parked.
 * @throws ApiError WABA_NOT_FOUND, or IS_IN_USE while it has numbers
 */
export async function removeWaba(db: Db, { orgId, id, actor }: Part): Promise<void> {
  await inRetriedTransaction(db, async (tx) => {
    const [, number] = await send(tx, [lockOrg(orgId), readNumberOfWaba(orgId, id)])
    if (number)
      throw new ApiError(
        'IS_IN_USE',
        `The WABA has numbers, ${number.id} for one: remove them, or move them.`,
      )
    if ((await run(tx, deleteWaba(orgId, id))) === 0) throw new ApiError('WABA_NOT_FOUND')
    const before = { remote_waba_id: id }
    await recordEvents(tx, [{ orgId, kind: 'waba.deleted', actor, reason: ASKED_FOR, before }])
  })
}

function readNumberOfWaba(orgId: string, id: string): Statement<{ id: string } | undefined> {
  return {
    text: 'select remote_id as id from waba_phones where org_id = $1 and waba_id = $2 limit 1',
    values: [orgId, id],
    read: firstRow<{ id: string }>,
  }
}

function deleteWaba(orgId: string, id: string): Statement<number> {
  return {
    text: `with ids as (delete from meta_objects where kind = 'waba' and id = $2 and org_id = $1)
      delete from wabas where org_id = $1 and id = $2`,
    values: [orgId, id],
    read: rowCount,
  }
}

/**
 * Removes a number to which nothing belongs. Later deliveries of it are parked, under all ids that it had.
 * @throws ApiError WABA_PHONE_NOT_FOUND, or IS_IN_USE while a chatroom, a contact or a message belongs to it
 */
export async function removeNumber(db: Db, { orgId, id, actor }: Part): Promise<void> {
  // A number that is in use is refused before routing has to wait.
  refuseUsed(await readUse(db, orgId, await findNumber(db, orgId, id)))
  await inRetriedTransaction(db, async (tx) => {
    await send(tx, [lockOrg(orgId)])
    await pauseRouting(tx)
    const number = await findNumber(tx, orgId, id)
    refuseUsed(await readUse(tx, orgId, number))
    await send(tx, deleteNumber(orgId, number.phoneId))
    const before = { remote_phone_id: number.remoteId, remote_waba_id: number.wabaId }
    await recordEvents(tx, [{ orgId, kind: 'number.deleted', actor, reason: ASKED_FOR, before }])
  })
}

async function findNumber(db: Db, orgId: string, id: string): Promise<KnownNumberOfWaba> {
  const number = (await run(db, readNumbers(orgId, [id]))).get(id)
  if (!number) throw new ApiError('WABA_PHONE_NOT_FOUND')
  return number
}

type Use = { chatrooms: boolean; contacts: boolean; messages: boolean }

/** No index begins with the number: where nothing belongs to it, this reads the org's part of two indexes. */
async function readUse(db: Db, orgId: string, { phoneId }: KnownNumberOfWaba): Promise<Use | undefined> {
  return run(db, {
    text: `select exists (select from chatrooms where org_id = $1 and waba_phone_id = $2) as chatrooms,
        exists (select from contact_wabas where org_id = $1 and waba_phone_id = $2) as contacts,
        exists (select from messages where org_id = $1 and waba_phone_id = $2 and chatroom_id is null) as messages`,
    values: [orgId, phoneId],
    read: firstRow<Use>,
  })
}

function refuseUsed(use: Use | undefined): void {
  const users = Object.entries(use ?? {}).flatMap(([what, isUsed]) => (isUsed ? [what] : []))
  if (users.length > 0)
    throw new ApiError('IS_IN_USE', `The number has ${users.join(', ')}, which stay with the number.`, {
      in_use_by: users,
    })
}

function deleteNumber(orgId: string, phoneId: string): Statement<void>[] {
  const values = [orgId, phoneId]
  const texts = [
    'delete from last_calls where org_id = $1 and waba_phone_id = $2',
    `delete from meta_objects where kind = 'phone' and org_id = $1 and coalesce(waba_phone_id, id) = $2`,
    'delete from waba_phones where org_id = $1 and id = $2',
  ]
  return texts.map((text) => ({ text, values, read: nothing }))
}
