import { insertEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { applyOverdue, type LifecycleSettings } from '../rules/lifecycle.ts'
import { transitionEvent } from '../rules/transition-event.ts'
import { expireContactsOf } from './expire-contacts.ts'
import { type CustomerRoom, readRoomsOfCustomer } from './read-rooms.ts'
import { updateRooms } from './update-rooms.ts'

const ACTOR = 'lifecycle'

/** An org with its lifecycle settings. */
export type LifecycleOrg = LifecycleSettings & { id: string }

/**
 * Locks a customer until the transaction ends and gives its chatrooms at all numbers, at most the latest 50 of each.
 * Overdue expiry and inactivity are applied and written first (docs/rules.md#overdue-changes-count-as-done), so that a
 * sweep that is late neither blocks a chatroom nor keeps one active.
 * @throws RetryError when the customer was merged into another since it was read
 */
export async function lockRooms(
  tx: Db,
  org: LifecycleOrg,
  customerId: string,
  now: Date,
): Promise<CustomerRoom[]> {
  const [, stored] = await send(tx, [
    lockCustomers([{ orgId: org.id, id: customerId }]),
    readRoomsOfCustomer(org.id, customerId),
  ])
  const { rooms, changed, transitions } = applyOverdue(stored, org, now)
  const overdue = rooms.filter((r) => changed.includes(r.id)).map((room) => ({ orgId: org.id, room }))
  const [, expiries] = await send(tx, [updateRooms(overdue), expireContactsOf(overdue, ACTOR)])
  const cause = { orgId: org.id, customerId, actor: ACTOR }
  await run(tx, insertEvents([...transitions.map((t) => transitionEvent(cause, t)), ...expiries]))
  return rooms
}
