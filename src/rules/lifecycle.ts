import type { Room, RoomState } from './room.ts'

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

/**
 * The rules of `routing/overdue.ts` in SQL, for `o` (orgs), `c` (contacts) and `r` (chatrooms); a test holds the
 * two together. A day is 24 h, whatever the time zone. A rule that is off makes its time null, which is never due.
 * $1 is the time to judge by, null = the database's clock.
 */
const AS_OF = 'coalesce($1::timestamptz, now())'

/** When the contact expires, by its org's `expiry_days`. */
export const EXPIRES_AT = `(c.created_at + o.expiry_days * interval '24 hours')`

/** When the chatroom falls asleep, by its org's `inactivity_days`: so long after the customer's last message. */
export const DEACTIVATES_AT = `(greatest(r.last_inbound_at, r.activated_at) + o.inactivity_days * interval '24 hours')`

/** The contact is overdue for expiry; written as the index `contacts_to_expire` can search it. */
export const IS_EXPIRING = `c.expired_at is null and c.created_at <= ${AS_OF} - o.expiry_days * interval '24 hours'`

/** Active, and silent by its `activity_day`, which the index `chatrooms_to_deactivate` can search: a superset. */
export const LOOKS_ASLEEP = `r.expired_at is null and r.deactivated_at is null
  and r.activity_day <= ((${AS_OF} - o.inactivity_days * interval '24 hours') at time zone 'UTC')::date`

/** The chatroom is overdue for deactivation, and its contact not for expiry, which beats it. */
export const IS_FALLING_ASLEEP = `${LOOKS_ASLEEP}
  and ${DEACTIVATES_AT} <= ${AS_OF} and (${EXPIRES_AT} <= ${AS_OF}) is not true`
