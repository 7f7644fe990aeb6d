import type { Db } from '../db/client.ts'
import { send } from '../db/statement.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { type CustomerRoom, readRoomsOfCustomers } from './read-rooms.ts'
import { type LifecycleOrg, writeOverdue } from './standing-rooms.ts'

/**
 * Locks a customer until the transaction ends and gives its chatrooms at all numbers, as `readStandingRooms` does.
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
    readRoomsOfCustomers(org.id, [customerId]),
  ])
  return writeOverdue(tx, org, stored, now)
}
