import type { RoomState } from '../rules/room.ts'
import { isWindowOpen } from '../rules/window.ts'

export type Origin = 'AGENT' | 'CAMPAIGN'
export type SendRefusal = 'CHATROOM_IS_DEACTIVATED' | 'CHATROOM_IS_EXPIRED_FOR_SENDING' | 'OUTSIDE_WINDOW'

/**
 * Why a message may not be sent, or undefined (spec: lifecycle.md): into an active chatroom anything, into a
 * deactivated one campaigns only, into an expired one nothing; and outside the window only templates.
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
