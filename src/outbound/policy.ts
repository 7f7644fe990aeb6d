import type { RoomState } from '../rules/room.ts'

export type Origin = 'AGENT' | 'CAMPAIGN'
export type Refusal = 'CHATROOM_IS_DEACTIVATED' | 'CHATROOM_IS_EXPIRED_FOR_SENDING' | 'OUTSIDE_WINDOW'

/** Free text may be sent for 24 h after the customer's last message (facts: Meta, messages/send-messages). */
const WINDOW_MS = 24 * 3_600_000

/**
 * Why a message may not be sent, or undefined (spec: lifecycle.md): into an active chatroom anything, into a
 * deactivated one campaigns only, into an expired one nothing; and outside the window only templates.
 */
export function refusalOf(
  message: { origin: Origin; isTemplate: boolean },
  room: { state: RoomState; lastInboundAt: Date | null },
  now: Date,
): Refusal | undefined {
  if (room.state === 'expired') return 'CHATROOM_IS_EXPIRED_FOR_SENDING'
  if (room.state === 'deactivated' && message.origin !== 'CAMPAIGN') return 'CHATROOM_IS_DEACTIVATED'
  const open = room.lastInboundAt !== null && now.getTime() - room.lastInboundAt.getTime() < WINDOW_MS
  return message.isTemplate || open ? undefined : 'OUTSIDE_WINDOW'
}
