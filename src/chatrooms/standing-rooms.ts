import { insertEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { applyOverdue, type LifecycleSettings } from '../rules/lifecycle.ts'
import { transitionEvent } from '../rules/transition-event.ts'
import { expireContactsOf } from './expire-contacts.ts'
import { type CustomerRoom, readRoomsOfCustomers } from './read-rooms.ts'
import { updateRooms } from './update-rooms.ts'

const ACTOR = 'lifecycle'

/** An org with its lifecycle settings. */
export type LifecycleOrg = LifecycleSettings & { id: string }

/**
 * The chatrooms of locked customers as they stand now, by customer: at all numbers, at most the latest 50 of each.
 * Overdue expiry and inactivity are applied and written first (docs/rules.md#overdue-changes-count-as-done), so that a
 * sweep that is late neither blocks a chatroom nor keeps one active.
 */
export async function readStandingRooms(
  tx: Db,
  org: LifecycleOrg,
  customerIds: string[],
  now: Date,
): Promise<Map<string, CustomerRoom[]>> {
  const stored = await run(tx, readRoomsOfCustomers(org.id, customerIds))
  const byCustomer = new Map<string, CustomerRoom[]>()
  for (const room of await writeOverdue(tx, org, stored, now)) {
    byCustomer.set(room.customerId, [...(byCustomer.get(room.customerId) ?? []), room])
  }
  return byCustomer
}

/** The chatrooms of locked customers with overdue changes applied, which are written. */
export async function writeOverdue(
  tx: Db,
  org: LifecycleOrg,
  stored: CustomerRoom[],
  now: Date,
): Promise<CustomerRoom[]> {
  const { rooms, changed, transitions } = applyOverdue(stored, org, now)
  if (changed.length === 0) return rooms
  const overdue = rooms.filter((r) => changed.includes(r.id)).map((room) => ({ orgId: org.id, room }))
  const [, expiries] = await send(tx, [updateRooms(overdue), expireContactsOf(overdue, ACTOR)])
  const customerOf = new Map(rooms.map((room) => [room.id, room.customerId]))
  const events = transitions.map((transition) => {
    const customerId = customerOf.get(transition.roomId)
    return transitionEvent({ orgId: org.id, ...(customerId && { customerId }), actor: ACTOR }, transition)
  })
  await run(tx, insertEvents([...events, ...expiries]))
  return rooms
}
