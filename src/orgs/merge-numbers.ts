import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import {
  deleteNumber,
  lockPairsOfNumbers,
  MAX_ROWS,
  type Merge,
  type Merged,
  moveCalls,
  moveChatrooms,
  moveOtherMessages,
  readConflicts,
  readExtent,
  readRoomsOfHeld,
} from './merge-rows.ts'
import { pauseRouting } from './pause-routing.ts'
import { ProvisionError } from './provision-error.ts'

/**
 * Lets everything of the number `otherId` go on at `phoneId`: chatrooms, messages, sends, mappings and ids. Held messages
 * join the chatroom that their customer has there. The number `otherId` is gone afterwards. Unlike a move this rewrites
 * rows, and so it is limited to 10,000 of them. `from` and `to` are Meta's ids of the two, for the errors.
 * @throws ProvisionError when a customer has an active chatroom at both numbers, when the number has too many rows, or
 * when routing cannot be paused
 */
export async function mergeNumbers(
  tx: Db,
  { from, to, ...merge }: Merge & { from: string; to: string },
): Promise<Merged> {
  const { orgId, phoneId } = merge
  const refusal = `${to} cannot replace ${from}`
  await pauseRouting(tx)
  const { roomIds, rows, customerIds } = await run(tx, readExtent(merge))
  if (rows > MAX_ROWS) {
    throw new ProvisionError(
      'NUMBER_CANNOT_REPLACE',
      `${refusal}: it has more than ${MAX_ROWS} chatrooms and messages of its own`,
    )
  }
  const customers = customerIds.map((customerId) => ({ orgId, id: customerId }))
  const [, conflicts] = await send(tx, [lockCustomers(customers), readConflicts(merge, roomIds)])
  if (conflicts.length > 0) {
    const pairs = conflicts.map(({ one, other }) => `${one} and ${other}`).join('; ')
    throw new ProvisionError(
      'NUMBER_CANNOT_REPLACE',
      `${refusal}: a customer has an active chatroom at both numbers, and one of the two must be deactivated first (chatrooms ${pairs})`,
    )
  }
  const [, merged, held, , , rooms] = await send(tx, [
    lockPairsOfNumbers(merge, customerIds),
    moveChatrooms(merge, roomIds),
    moveOtherMessages(merge),
    moveCalls(merge),
    deleteNumber(merge),
    readRoomsOfHeld(merge, customerIds),
  ])
  const attached = await run(tx, attachHeldMessages(rooms.map((room) => ({ orgId, phoneId, ...room }))))
  await run(tx, logEvents(attached))
  return { chatrooms: merged.chatrooms, messages: merged.messages + held }
}
