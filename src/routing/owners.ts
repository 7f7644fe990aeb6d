import { columns, text } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import type { RoutingSettings } from './decision.ts'

/** `erasedAt`: the latest erasure of a person of this org, as long as it has tombstones. */
export type Owner = { orgId: string; erasedAt: Date | undefined; settings: RoutingSettings }
/**
 * `phoneId` is the number (`waba_phones.id`), which differs from the `phone_number_id` after the number has moved; `wabaId`
 * is its WABA today.
 */
export type PhoneOwner = Owner & { phoneId: string; wabaId: string | undefined }
/** The orgs that own numbers and WABAs, by Meta's id; an object that no org has provisioned yet is absent. */
export type Owners = { phones: Map<string, PhoneOwner>; wabas: Map<string, Owner> }

/** The ids of these orgs, each once. */
export function orgsOf({ phones, wabas }: Owners): string[] {
  return [...new Set([...phones.values(), ...wabas.values()].map(({ orgId }) => orgId))]
}

type MetaObject = { kind: 'phone' | 'waba'; id: string }
type Row = MetaObject &
  RoutingSettings & { orgId: string; erasedAt: Date | null; phoneId: string; wabaId: string | null }

const OBJECTS = columns<MetaObject>({ kind: text((o) => o.kind), id: text((o) => o.id) })

/** The orgs, with their routing settings, that own these numbers (by a present or former `phone_number_id`) and WABAs. */
export function readOwners(phoneIds: Iterable<string>, wabaIds: Iterable<string>): Statement<Owners> {
  const objects: MetaObject[] = [
    ...Array.from(phoneIds, (id) => ({ kind: 'phone' as const, id })),
    ...Array.from(wabaIds, (id) => ({ kind: 'waba' as const, id })),
  ]
  return over(OBJECTS, objects, {
    name: 'read-owners',
    text: `select k.kind, k.id, m.org_id as "orgId", coalesce(m.waba_phone_id, m.id) as "phoneId", p.waba_id as "wabaId",
        o.erased_at as "erasedAt", o.inactivity_days as "inactivityDays", o.expiry_days as "expiryDays", o.unknown_sender as "unknownSender", o.auto_reply_text as "autoReplyText",
        o.auto_reply_min_interval_seconds as "autoReplyMinIntervalSeconds",
        o.reactions_reactivate as "reactionsReactivate", o.auto_reply_burst as "autoReplyBurst",
        o.stop_words as "stopWords"
      from ${OBJECTS.as('k')}
      join meta_objects m on m.kind = k.kind and m.id = k.id
      join orgs o on o.id = m.org_id
      left join waba_phones p on k.kind = 'phone' and p.org_id = m.org_id and p.id = coalesce(m.waba_phone_id, m.id)`,
    read: toOwners,
  })
}

function toOwners(rows: Row[]): Owners {
  const owners: Owners = { phones: new Map(), wabas: new Map() }
  for (const { kind, id, orgId, erasedAt, phoneId, wabaId, ...settings } of rows) {
    const owner = { orgId, erasedAt: erasedAt ?? undefined, settings }
    if (kind === 'phone') owners.phones.set(id, { ...owner, phoneId, wabaId: wabaId ?? undefined })
    else owners.wabas.set(id, owner)
  }
  return owners
}
