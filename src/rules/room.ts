/** A chatroom of one customer at one number, as routing sees it. */
export type Room = {
  id: string
  contactId: string
  state: RoomState
  createdAt: Date
  contactCreatedAt: Date
  activatedAt: Date
  lastInboundAt: Date | null
  lastAutoReplyAt: Date | null
  /** Auto-replies since `autoRepliesSince`, to recognise a robot. */
  autoReplies: number
  autoRepliesSince: Date | null
  deactivatedAt: Date | null
  expiredAt: Date | null
  pendingUserId: string | null
}
export type RoomState = 'active' | 'deactivated' | 'expired'

/** When the room entered its state. */
export function since(room: Room): Date {
  return room.expiredAt ?? room.deactivatedAt ?? room.activatedAt
}
