import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import type { Preference } from '../webhook/items.ts'

export type OrgPreference = Preference & { orgId: string; customerId: string; deactivateOnOptOut: boolean }

/**
 * Remembers who wants no marketing messages, the latest word of Meta's time deciding; where the org says so
 * (`deactivate_on_opt_out`), a stop deactivates the customer's chatroom at that number. Customers are locked.
 */
export async function applyPreferences(tx: Db, preferences: OrgPreference[]): Promise<void> {
  if (preferences.length === 0) return
  const news = await writePreferences(tx, preferences)
  const stopped = preferences.filter(
    (p) => p.deactivateOnOptOut && p.value === 'stop' && news.has(`${p.orgId} ${p.customerId}`),
  )
  if (stopped.length > 0) await deactivateStopped(tx, stopped)
}

async function writePreferences(tx: Db, preferences: OrgPreference[]): Promise<Set<string>> {
  const { rows } = await tx.$client.query<{ org_id: string; id: string; opted_out_at: Date | null }>({
    name: 'write-preferences',
    text: `with p as (
        select distinct on (org_id, id) * from unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
          as p(org_id, id, value, at) order by org_id, id, at desc)
      update customers c set preference_at = p.at, opted_out_at = case when p.value = 'stop' then p.at end
      from p where c.org_id = p.org_id and c.id = p.id and (c.preference_at is null or c.preference_at < p.at)
      returning c.org_id, c.id, c.opted_out_at`,
    values: [
      preferences.map((p) => p.orgId),
      preferences.map((p) => p.customerId),
      preferences.map((p) => p.value),
      preferences.map((p) => p.at),
    ],
  })
  await recordEvents(
    tx,
    rows.map((r) => ({
      orgId: r.org_id,
      kind: r.opted_out_at ? 'customer.opted_out' : 'customer.opted_in',
      actor: 'routing',
      reason: 'the customer asked for it',
      customerId: r.id,
    })),
  )
  return new Set(rows.filter((r) => r.opted_out_at).map((r) => `${r.org_id} ${r.id}`))
}

async function deactivateStopped(tx: Db, stopped: OrgPreference[]): Promise<void> {
  const { rows } = await tx.$client.query<{
    org_id: string
    id: string
    contact_id: string
    customer_id: string
  }>({
    name: 'deactivate-opted-out',
    text: `update chatrooms r set deactivated_at = now(), deactivation_reason = 'LEAD_OPTED_OUT'
      from unnest($1::text[], $2::uuid[], $3::text[]) as p(org_id, customer_id, phone_id)
      where r.org_id = p.org_id and r.customer_id = p.customer_id and r.waba_phone_id = p.phone_id
        and r.deactivated_at is null and r.expired_at is null
      returning r.org_id, r.id, r.contact_id, r.customer_id`,
    values: [stopped.map((p) => p.orgId), stopped.map((p) => p.customerId), stopped.map((p) => p.phoneId)],
  })
  await recordEvents(
    tx,
    rows.map((r) => ({
      orgId: r.org_id,
      kind: 'chatroom.deactivated',
      actor: 'routing',
      reason: 'LEAD_OPTED_OUT',
      customerId: r.customer_id,
      contactId: r.contact_id,
      chatroomId: r.id,
      before: { state: 'active' },
      after: { state: 'deactivated' },
    })),
  )
}
