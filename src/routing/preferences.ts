import type { AuditEvent } from '../audit/record-events.ts'
import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import type { Preference } from '../webhook/items.ts'

export type OrgPreference = Preference & { orgId: string; customerId: string; deactivateOnOptOut: boolean }

const PREFERENCES = columns<OrgPreference>({
  org_id: text((p) => p.orgId),
  id: uuid((p) => p.customerId),
  value: text((p) => p.value),
  at: timestamptz((p) => p.at),
})

/**
 * Remembers which customers want no marketing messages; the latest preference by Meta's time decides. The customers
 * must be locked.
 * @returns the audit, one event for each customer whose preference is news
 */
export function writePreferences(preferences: OrgPreference[]): Statement<AuditEvent[]> {
  return over(PREFERENCES, preferences, {
    name: 'write-preferences',
    text: `with p as (
        select distinct on (org_id, id) * from ${PREFERENCES.as('p')} order by org_id, id, at desc)
      update customers c set preference_at = p.at, opted_out_at = case when p.value = 'stop' then p.at end
      from p where c.org_id = p.org_id and c.id = p.id and (c.preference_at is null or c.preference_at < p.at)
      returning c.org_id as "orgId", c.id as "customerId", c.opted_out_at is not null as "hasOptedOut"`,
    read: (rows: { orgId: string; customerId: string; hasOptedOut: boolean }[]): AuditEvent[] =>
      rows.map(({ hasOptedOut, ...customer }) => ({
        ...customer,
        kind: hasOptedOut ? 'customer.opted_out' : 'customer.opted_in',
        actor: 'routing',
        reason: 'the customer asked for it',
      })),
  })
}

/** The stops that are news, in orgs that want them to deactivate the chatroom (`deactivate_on_opt_out`). */
export function stopsToFollow(preferences: OrgPreference[], news: AuditEvent[]): OrgPreference[] {
  const stopped = news.filter(({ kind }) => kind === 'customer.opted_out')
  return preferences.filter(
    (p) =>
      p.deactivateOnOptOut &&
      p.value === 'stop' &&
      stopped.some(({ orgId, customerId }) => orgId === p.orgId && customerId === p.customerId),
  )
}

const STOPPED = columns<OrgPreference>({
  org_id: text((p) => p.orgId),
  customer_id: uuid((p) => p.customerId),
  phone_id: text((p) => p.phoneId),
})

/** Deactivates the active chatrooms of these customers at these numbers, and gives the audit of it. */
export function deactivateStopped(stops: OrgPreference[]): Statement<AuditEvent[]> {
  return over(STOPPED, stops, {
    name: 'deactivate-opted-out',
    text: `update chatrooms r set deactivated_at = now(), deactivation_reason = 'LEAD_OPTED_OUT'
      from ${STOPPED.as('p')}
      where r.org_id = p.org_id and r.customer_id = p.customer_id and r.waba_phone_id = p.phone_id
        and r.deactivated_at is null and r.expired_at is null
      returning r.org_id as "orgId", r.id as "chatroomId", r.contact_id as "contactId", r.customer_id as "customerId"`,
    read: (rooms: Pick<AuditEvent, 'orgId' | 'chatroomId' | 'contactId' | 'customerId'>[]): AuditEvent[] =>
      rooms.map((room) => ({
        ...room,
        kind: 'chatroom.deactivated',
        actor: 'routing',
        reason: 'LEAD_OPTED_OUT',
        before: { state: 'active' },
        after: { state: 'deactivated' },
      })),
  })
}
