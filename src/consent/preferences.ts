import type { AuditEvent } from '../audit/record-events.ts'
import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'

/** A customer stopped or resumed marketing messages, at that time; `phoneId` is the number (`waba_phones.id`). */
export type CustomerPreference = {
  orgId: string
  customerId: string
  phoneId: string
  value: 'stop' | 'resume'
  at: Date
  actor: string
  reason: string
}

const PREFERENCES = columns<CustomerPreference>({
  org_id: text((p) => p.orgId),
  id: uuid((p) => p.customerId),
  value: text((p) => p.value),
  at: timestamptz((p) => p.at),
  actor: text((p) => p.actor),
  reason: text((p) => p.reason),
})

type News = Pick<CustomerPreference, 'orgId' | 'customerId' | 'actor' | 'reason'> & { hasOptedOut: boolean }

/**
 * Remembers which customers want no marketing messages. The latest preference by Meta's time decides; of several in the
 * same second, the one that arrived last. The customers must be locked.
 * @returns the audit, one event for each customer whose preference is news
 */
export function writePreferences(preferences: CustomerPreference[]): Statement<AuditEvent[]> {
  return over(PREFERENCES, preferences, {
    name: 'write-preferences',
    text: `with p as (
        select distinct on (org_id, id) * from ${PREFERENCES.as('p', { ordinality: 'place' })}
        order by org_id, id, at desc, place desc)
      update customers c set preference_at = p.at, opted_out_at = case when p.value = 'stop' then p.at end
      from p where c.org_id = p.org_id and c.id = p.id and (c.preference_at is null or c.preference_at < p.at
        or (c.preference_at = p.at and (c.opted_out_at is not null) <> (p.value = 'stop')))
      returning c.org_id as "orgId", c.id as "customerId", c.opted_out_at is not null as "hasOptedOut", p.actor, p.reason`,
    read: (rows: News[]): AuditEvent[] =>
      rows.map(({ hasOptedOut, ...customer }) => ({
        ...customer,
        kind: hasOptedOut ? 'customer.opted_out' : 'customer.opted_in',
      })),
  })
}

/** The stops that are news. */
export function stopsAmong(preferences: CustomerPreference[], news: AuditEvent[]): CustomerPreference[] {
  const stopped = news.filter(({ kind }) => kind === 'customer.opted_out')
  return preferences.filter(
    (p) =>
      p.value === 'stop' &&
      stopped.some(({ orgId, customerId }) => orgId === p.orgId && customerId === p.customerId),
  )
}

const STOPPED = columns<CustomerPreference>({
  org_id: text((p) => p.orgId),
  customer_id: uuid((p) => p.customerId),
  phone_id: text((p) => p.phoneId),
  actor: text((p) => p.actor),
})

type DeactivatedRoom = Pick<AuditEvent, 'orgId' | 'chatroomId' | 'contactId' | 'customerId' | 'actor'>

/**
 * Deactivates the active chatrooms of customers who stopped marketing at these numbers, in orgs that want it
 * (`deactivate_on_opt_out`), and gives the audit of it.
 */
export function deactivateStopped(stops: CustomerPreference[]): Statement<AuditEvent[]> {
  return over(STOPPED, stops, {
    name: 'deactivate-opted-out',
    text: `update chatrooms r set deactivated_at = now(), deactivation_reason = 'LEAD_OPTED_OUT'
      from ${STOPPED.as('p')} join orgs o on o.id = p.org_id and o.deactivate_on_opt_out
      where r.org_id = p.org_id and r.customer_id = p.customer_id and r.waba_phone_id = p.phone_id
        and r.deactivated_at is null and r.expired_at is null
      returning r.org_id as "orgId", r.id as "chatroomId", r.contact_id as "contactId", r.customer_id as "customerId",
        p.actor`,
    read: (rooms: DeactivatedRoom[]): AuditEvent[] =>
      rooms.map((room) => ({
        ...room,
        kind: 'chatroom.deactivated',
        reason: 'LEAD_OPTED_OUT',
        before: { state: 'active' },
        after: { state: 'deactivated' },
      })),
  })
}
