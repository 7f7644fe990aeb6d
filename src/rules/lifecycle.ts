import type { Room, RoomState } from './room.ts'

/**
 * The lifecycle rules (docs/rules.md#lifecycle), as functions for one chatroom and as SQL for sweeps, which search
 * millions by index. A property test compares the two. A day has 24 h in every time zone.
 */

/** The lifecycle settings of an org; null: that rule is off. */
export type LifecycleSettings = { inactivityDays: number | null; expiryDays: number | null }

/** One change of state. `at`: when it took effect; for an overdue change that is in the past. */
export type Transition = {
  roomId: string
  contactId: string
  from: RoomState
  to: RoomState
  at: Date
  reason: string
}

/** The reason of every deactivation for inactivity; the API shows it. */
export const INACTIVITY_REASON = 'LEAD_LIFECYCLE_THRESHOLD_EXPIRED'

/** The reason in the audit of an expiry. */
export function expiryReason(expiryDays: number): string {
  return `contact older than ${expiryDays} days`
}

/** When the contact expired or will expire; undefined while its org lets no contact expire. */
export function expiryOf(
  contact: { createdAt: Date; expiredAt: Date | null },
  expiryDays: number | null,
): Date | undefined {
  return contact.expiredAt ?? (expiryDays === null ? undefined : daysAfter(contact.createdAt, expiryDays))
}

/** True from the moment of expiry on, also before a sweep has written it. */
export function isExpired(
  contact: { createdAt: Date; expiredAt: Date | null },
  expiryDays: number | null,
  now: Date,
): boolean {
  const expiry = expiryOf(contact, expiryDays)
  return expiry !== undefined && expiry <= now
}

/**
 * The chatrooms as they would be if every sweep had run on time: expiry first, then inactivity. `changed` holds the
 * ids of those that differ from `rooms` as given.
 */
export function applyOverdue<R extends Room>(
  rooms: R[],
  settings: LifecycleSettings,
  now: Date,
): { rooms: R[]; changed: string[]; transitions: Transition[] } {
  const transitions: Transition[] = []
  const current = rooms.map((room) => {
    const change = overdueChange(room, settings, now)
    if (!change) return room
    transitions.push({ roomId: room.id, contactId: room.contactId, from: room.state, ...change })
    const stamp = change.to === 'expired' ? { expiredAt: change.at } : { deactivatedAt: change.at }
    return { ...room, state: change.to, ...stamp }
  })
  return { rooms: current, changed: transitions.map((t) => t.roomId), transitions }
}

/**
 * The chatroom with a message of that time counted, before `applyOverdue`. A message that was sent before an active
 * chatroom's deactivation fell due counts for it, however late it comes: by Meta's time the customer was never inactive.
 */
export function countMessage<R extends Room>(
  room: R,
  sentAt: Date,
  { inactivityDays }: LifecycleSettings,
): R {
  if (room.state !== 'active' || inactivityDays === null) return room
  const counts = sentAt > lastActivity(room) && sentAt < daysAfter(lastActivity(room), inactivityDays)
  return counts ? { ...room, lastInboundAt: sentAt } : room
}

/** Whether a customer whose last message is of that time counts as inactive. */
export function isInactiveSince(sentAt: Date, { inactivityDays }: LifecycleSettings, now: Date): boolean {
  return inactivityDays !== null && daysAfter(sentAt, inactivityDays) <= now
}

function overdueChange(
  room: Room,
  { expiryDays, inactivityDays }: LifecycleSettings,
  now: Date,
): { to: 'deactivated' | 'expired'; at: Date; reason: string } | undefined {
  if (room.state === 'expired') return undefined
  if (expiryDays !== null) {
    const at = daysAfter(room.contactCreatedAt, expiryDays)
    if (at <= now) return { to: 'expired', at, reason: expiryReason(expiryDays) }
  }
  if (room.state === 'active' && inactivityDays !== null) {
    const at = daysAfter(lastActivity(room), inactivityDays)
    if (at <= now) return { to: 'deactivated', at, reason: INACTIVITY_REASON }
  }
  return undefined
}

/** The customer's last message or, if that is later or there is none, the activation. */
function lastActivity(room: Room): Date {
  return room.lastInboundAt && room.lastInboundAt > room.activatedAt ? room.lastInboundAt : room.activatedAt
}

const DAY_MS = 86_400_000

function daysAfter(start: Date, days: number): Date {
  return new Date(start.getTime() + days * DAY_MS)
}

/**
 * The same rules in SQL, for `o` (orgs), `c` (contacts) and `r` (chatrooms). A rule that is off makes its time null,
 * which is never due. $1 is the time to judge by; null: the database's clock.
 */
const AS_OF = 'coalesce($1::timestamptz, now())'
const LAST_ACTIVITY = 'greatest(r.last_inbound_at, r.activated_at)'

/** When the contact expires. */
export const EXPIRES_AT = `(c.created_at + o.expiry_days * interval '24 hours')`

/** When the active chatroom becomes deactivated. */
export const DEACTIVATES_AT = `(${LAST_ACTIVITY} + o.inactivity_days * interval '24 hours')`

/** What the column `activity_day` of the chatroom should be; it may lag behind. */
export const ACTIVITY_DAY = `(${LAST_ACTIVITY} at time zone 'UTC')::date`

/** The contact is overdue for expiry; in a form that the index `contacts_to_expire` can search. */
export const EXPIRY_IS_DUE = `c.expired_at is null and c.created_at <= ${AS_OF} - o.expiry_days * interval '24 hours'`

/** A superset of `DEACTIVATION_IS_DUE` by `activity_day`, which the index `chatrooms_to_deactivate` can search. */
export const DEACTIVATION_MAY_BE_DUE = `r.expired_at is null and r.deactivated_at is null
  and r.activity_day <= ((${AS_OF} - o.inactivity_days * interval '24 hours') at time zone 'UTC')::date`

/** The chatroom is overdue for deactivation, and its contact not for expiry, which is applied first. */
export const DEACTIVATION_IS_DUE = `${DEACTIVATION_MAY_BE_DUE}
  and ${DEACTIVATES_AT} <= ${AS_OF} and (${EXPIRES_AT} <= ${AS_OF}) is not true`
