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
