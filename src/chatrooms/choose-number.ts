import { ApiError } from '../errors.ts'
import type { CustomerRoom } from './read-rooms.ts'

/**
 * The first of the numbers at which no other contact of the same customer has the active chatroom. `rooms`: all of the
 * customer. Else the error: NO_WABA_PHONE_AVAILABLE without a number; ACTIVE_CHATROOM_EXISTS when no number is free, or
 * when another contact has an active chatroom anywhere and `failIfElsewhere` is true.
 */
export function chooseNumber<Number extends { phoneId: string }>(
  contactId: string,
  rooms: Pick<CustomerRoom, 'id' | 'state' | 'contactId' | 'phoneId'>[],
  numbers: Number[],
  failIfElsewhere: boolean,
): Number | ApiError {
  const rivals = rooms.filter((r) => r.state === 'active' && r.contactId !== contactId)
  const free = numbers.find(({ phoneId }) => rivals.every((r) => r.phoneId !== phoneId))
  const rival = rivals.find((r) => r.phoneId === numbers[0]?.phoneId) ?? rivals[0]
  if (numbers.length === 0) return new ApiError('NO_WABA_PHONE_AVAILABLE')
  if (free !== undefined && !(rival && failIfElsewhere)) return free
  return new ApiError('ACTIVE_CHATROOM_EXISTS', undefined, { chatroom_id: rival?.id })
}
