import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { pairKey } from '../rules/keys.ts'
import { applyOverdue, type LifecycleSettings } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import { transitionEvent } from '../rules/transition-event.ts'
import { readRooms } from './read-rooms.ts'
import { expireContactsOf, updateRooms } from './update-rooms.ts'

const ACTOR = 'lifecycle'

/** An org with the rules that let chatrooms fall asleep. */
export type LifecycleOrg = LifecycleSettings & { id: string }

/** A chatroom of a customer, with the number it is at. */
export type CustomerRoom = Room & { phoneId: string }

/**
 * The chatrooms of a customer at all numbers, overdue expiry and inactivity being done first, as routing does
 * (DESIGN section 2): a late sweep must neither block a chatroom nor keep one alive. At most the latest 50 a number.
 * The customer must be locked, in an earlier statement.
 */
export async function settleOverdueRooms(
  tx: Db,
  org: LifecycleOrg,
  customerId: string,
  now: Date,
): Promise<CustomerRoom[]> {
  const phoneIds = await readPhonesOf(tx, org.id, customerId)
  const pairs = phoneIds.map((phoneId) => ({ orgId: org.id, customerId, phoneId }))
  const byPair = await run(tx, readRooms(pairs))
  const all = pairs.flatMap((pair) =>
    (byPair.get(pairKey(pair)) ?? []).map((room) => ({ ...room, phoneId: pair.phoneId })),
  )
  const { rooms, changed, transitions } = applyOverdue(all, org, now)
  if (changed.length > 0) {
    const overdue = rooms.filter((r) => changed.includes(r.id)).map((room) => ({ orgId: org.id, room }))
    const [, expiries] = await send(tx, [updateRooms(overdue), expireContactsOf(overdue, ACTOR)])
    const cause = { orgId: org.id, customerId, actor: ACTOR }
    await recordEvents(tx, [...transitions.map((t) => transitionEvent(cause, t)), ...expiries])
  }
  return rooms
}

async function readPhonesOf(tx: Db, orgId: string, customerId: string): Promise<string[]> {
  const { rows } = await tx.$client.query<{ waba_phone_id: string }>({
    name: 'read-phones-of-customer',
    text: 'select distinct waba_phone_id from chatrooms where org_id = $1 and customer_id = $2',
    values: [orgId, customerId],
  })
  return rows.map((r) => r.waba_phone_id)
}
