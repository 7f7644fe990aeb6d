import type { Db } from '../db/client.ts'
import type { RoutingSettings } from './decide.ts'

export type Owner = { orgId: string; settings: RoutingSettings; deactivateOnOptOut: boolean }
/** Whose numbers and WABAs these are; what nobody has provisioned yet is absent. */
export type Owners = { phones: Map<string, Owner>; wabas: Map<string, Owner> }

/** The orgs, with their routing settings, that own these numbers (`phone_number_id`) and WABAs. */
export async function readOwners(tx: Db, phoneIds: string[], wabaIds: string[]): Promise<Owners> {
  const { rows } = await tx.$client.query<OwnerRow>({
    name: 'read-owners',
    text: `select k.kind, k.id, m.org_id, o.inactivity_days, o.expiry_days, o.unknown_sender, o.auto_reply_text,
        o.auto_reply_min_interval_seconds, o.deactivate_on_opt_out
      from unnest($1::text[], $2::text[]) as k(kind, id)
      join meta_objects m on m.kind = k.kind and m.id = k.id
      join orgs o on o.id = m.org_id`,
    values: [
      [...phoneIds.map(() => 'phone'), ...wabaIds.map(() => 'waba')],
      [...phoneIds, ...wabaIds],
    ],
  })
  const owners: Owners = { phones: new Map(), wabas: new Map() }
  for (const row of rows) owners[row.kind === 'phone' ? 'phones' : 'wabas'].set(row.id, toOwner(row))
  return owners
}

type OwnerRow = {
  kind: 'phone' | 'waba'
  id: string
  org_id: string
  inactivity_days: number | null
  expiry_days: number | null
  unknown_sender: 'hold' | 'create'
  auto_reply_text: string | null
  auto_reply_min_interval_seconds: number
  deactivate_on_opt_out: boolean
}

function toOwner(row: OwnerRow): Owner {
  return {
    orgId: row.org_id,
    deactivateOnOptOut: row.deactivate_on_opt_out,
    settings: {
      inactivityDays: row.inactivity_days,
      expiryDays: row.expiry_days,
      unknownSender: row.unknown_sender,
      autoReplyText: row.auto_reply_text,
      autoReplyMinIntervalSeconds: row.auto_reply_min_interval_seconds,
    },
  }
}
