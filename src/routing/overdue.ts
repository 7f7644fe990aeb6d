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
  deactivatedAt: Date | null
  expiredAt: Date | null
  pendingUserId: string | null
}
export type RoomState = 'active' | 'deactivated' | 'expired'

/** One change of state: `at` is when it took effect, for an overdue one earlier than now. */
export type Transition = {
  roomId: string
  contactId: string
  from: RoomState
  to: RoomState
  at: Date
  reason: string
}

/** The org's lifecycle rules; null = that rule is off. */
export type LifecycleSettings = { inactivityDays: number | null; expiryDays: number | null }

const DAY_MS = 86_400_000
/** Rooms as they would be had every sweep run on time: expiry first, then inactivity. */
export function settleOverdue(
  rooms: Room[],
  settings: LifecycleSettings,
  now: Date,
): { rooms: Room[]; changed: string[]; transitions: Transition[] } {
  const transitions: Transition[] = []
  const settled = rooms.map((room) => {
    const change = overdueChange(room, settings, now)
    if (!change) return room
    transitions.push({ roomId: room.id, contactId: room.contactId, from: room.state, ...change })
    const stamp = change.to === 'expired' ? { expiredAt: change.at } : { deactivatedAt: change.at }
    return { ...room, state: change.to, ...stamp }
  })
  return { rooms: settled, changed: transitions.map((t) => t.roomId), transitions }
}

/** When the room entered its state. */
export function since(room: Room): Date {
  return room.expiredAt ?? room.deactivatedAt ?? room.activatedAt
}

function overdueChange(
  room: Room,
  settings: LifecycleSettings,
  now: Date,
): { to: 'deactivated' | 'expired'; at: Date; reason: string } | undefined {
  if (room.state === 'expired') return undefined
  if (settings.expiryDays !== null) {
    const at = daysAfter(room.contactCreatedAt, settings.expiryDays)
    if (at <= now) return { to: 'expired', at, reason: `contact older than ${settings.expiryDays} days` }
  }
  if (room.state === 'active' && settings.inactivityDays !== null) {
    const at = daysAfter(lastSignOfLife(room), settings.inactivityDays)
    if (at <= now) return { to: 'deactivated', at, reason: 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED' }
  }
  return undefined
}

/** The customer's last message; for one who never wrote, or was activated by hand since, the activation. */
function lastSignOfLife(room: Room): Date {
  return room.lastInboundAt && room.lastInboundAt > room.activatedAt ? room.lastInboundAt : room.activatedAt
}

function daysAfter(start: Date, days: number): Date {
  return new Date(start.getTime() + days * DAY_MS)
}
