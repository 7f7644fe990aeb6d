import { eq } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { readNow } from '../db/read-now.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { type Org, orgs } from '../db/schema/index.ts'
import { run, send } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { ApiError } from '../errors.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { type AssignableRoom, assignUser } from './assign-user.ts'
import { findAssignee, pickUser } from './pick-assignee.ts'
import {
  afterLeaving,
  countReleased,
  type Leaver,
  leaveRooms,
  markReleased,
  readLeavers,
  readLeftRooms,
  reasonOf,
} from './release-rooms.ts'

const ACTOR = 'removal'

/**
 * Takes the chatrooms from all removed users, in every state, and cancels the handovers to them. A chatroom that nobody
 * has then goes to the org's delegate, if there is one (docs/rules.md#a-user-who-leaves). Works in batches, a transaction
 * each, so routing never waits for all chatrooms of a user; a run that dies is continued by the next one.
 * @returns the number of chatrooms that were released
 */
export async function releaseChatrooms(
  db: Db,
  onProgress: (done: number) => unknown = () => undefined,
): Promise<number> {
  let done = 0
  for (const leaver of await run(db, readLeavers())) {
    done += await releaseFrom(db, leaver, (released) => onProgress(done + released))
  }
  return done
}

/**
 * Takes all chatrooms from one removed user, as `releaseChatrooms` does.
 * @returns the number of chatrooms that were released
 */
export async function releaseFrom(
  db: Db,
  leaver: Leaver,
  onProgress: (done: number) => unknown = () => undefined,
): Promise<number> {
  let done = 0
  for (let found = true; found; ) {
    const batch = await inRetriedTransaction(db, (tx) => releaseBatch(tx, leaver))
    done += batch.released
    found = batch.found
    await onProgress(done)
  }
  await inTransaction(db, (tx) => send(tx, markReleased(leaver)))
  return done
}

/** `found` is false when the leaver has no chatroom any more. */
async function releaseBatch(tx: Db, leaver: Leaver): Promise<{ found: boolean; released: number }> {
  const { orgId, userId } = leaver
  const found = await run(tx, readLeftRooms(leaver))
  const customerIds = [...new Set(found.map((room) => room.customerId))]
  const [, rooms] = await send(tx, [
    lockCustomers(customerIds.map((id) => ({ orgId, id }))),
    readLeftRooms(leaver, customerIds),
  ])
  await send(tx, [...leaveRooms(leaver, rooms, ACTOR), countReleased(leaver, rooms.length)])
  const free = rooms.filter((room) => hasNobody(afterLeaving(room, userId)))
  if (free.length > 0) await assignDelegate(tx, leaver, free)
  return { found: found.length > 0, released: rooms.length }
}

function hasNobody(room: ReturnType<typeof afterLeaving>): boolean {
  return room.user_ids.length === 0 && room.pending_user_id === null
}

async function assignDelegate(
  tx: Db,
  { orgId, userId: leaverId }: Leaver,
  rooms: AssignableRoom[],
): Promise<void> {
  const [org] = await tx.select().from(orgs).where(eq(orgs.id, orgId))
  if (!org) return
  const now = await readNow(tx)
  for (const room of rooms) {
    const userId = await pickDelegate(tx, org, now)
    if (userId === undefined) return
    const left = { ...room, userIds: [], pendingUserId: null }
    const how = { onHandover: false, actor: ACTOR, reason: reasonOf(leaverId) }
    await send(tx, assignUser({ orgId, room: left, userId, ...how, now }))
  }
}

/** Undefined when the org has no delegate, or the delegate is gone too. */
async function pickDelegate(tx: Db, org: Org, now: Date): Promise<string | undefined> {
  try {
    return await pickUser(tx, org.id, await findAssignee(tx, org, { mode: 'DELEGATE' }), now)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}
