import type { RoomState } from '../rules/room.ts'
import { isWindowOpen } from '../rules/window.ts'

export type Origin = 'AGENT' | 'CAMPAIGN'
export type SendRefusal = 'CHATROOM_IS_DEACTIVATED' | 'CHATROOM_IS_EXPIRED_FOR_SENDING' | 'OUTSIDE_WINDOW'

/**
 * The reason why a message may not be sent (docs/rules.md#what-may-be-sent), or undefined. An active chatroom takes any
 * message, a deactivated one only campaign messages, an expired one none; outside the window only templates are sent.
 */
export function refusalOf(
  message: { origin: Origin; isTemplate: boolean },
  room: { state: RoomState; lastInboundAt: Date | null },
  now: Date,
): SendRefusal | undefined {
  if (room.state === 'expired') return 'CHATROOM_IS_EXPIRED_FOR_SENDING'
  if (room.state === 'deactivated' && message.origin !== 'CAMPAIGN') return 'CHATROOM_IS_DEACTIVATED'
  return message.isTemplate || isWindowOpen(room.lastInboundAt, now) ? undefined : 'OUTSIDE_WINDOW'
}
