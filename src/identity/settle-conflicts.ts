import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { type Alias, aliasKey, isId } from './aliases.ts'
import type { KnownAliases } from './find-customers.ts'
import { lockCustomers } from './lock-customers.ts'

/** A name of `customerId` that so far led to `otherId`. */
export type Conflict = { orgId: string; alias: Alias; customerId: string; otherId: string }

/**
 * Settles names that lead to two customers, one by one: they are rare. Meta's ids follow the customer whom the
 * phone decided for; a phone is never taken from a customer whom the CRM has contacts of. A customer without
 * contacts, and without a phone of its own unless that phone is the name in question, merges into the other:
 * its names and held messages move. Chatrooms are never merged. Each conflict is an `events` row.
 */
export async function settleConflicts(tx: Db, conflicts: Conflict[], known: KnownAliases): Promise<void> {
  await lockCustomers(
    tx,
    conflicts.flatMap((c) => [
      { orgId: c.orgId, id: c.customerId },
      { orgId: c.orgId, id: c.otherId },
    ]),
  )
  // One conflict may merge a customer that a later one still speaks of.
  const mergedInto = new Map<string, string>()
  const today = (id: string): string => {
    const into = mergedInto.get(id)
    return into === undefined ? id : today(into)
  }
  for (const { orgId, alias, ...ids } of conflicts) {
    const conflict = { orgId, alias, customerId: today(ids.customerId), otherId: today(ids.otherId) }
    if (conflict.customerId === conflict.otherId) continue
    if (await settle(tx, conflict, known)) mergedInto.set(conflict.otherId, conflict.customerId)
  }
  for (const [key, id] of known) known.set(key, today(id))
}

/** True when the other customer was merged. */
async function settle(tx: Db, conflict: Conflict, known: KnownAliases): Promise<boolean> {
  const { orgId, alias, customerId, otherId } = conflict
  const other = await readOther(tx, orgId, otherId)
  const isPhone = !isId(alias)
  const merged = !other.hasContacts && (isPhone || !other.hasPhone)
  const moved = merged ? await merge(tx, conflict) : isPhone ? [] : await repoint(tx, conflict)
  for (const name of moved) known.set(aliasKey(orgId, name), customerId)
  await recordEvents(tx, [
    {
      orgId,
      kind: 'customer.identity_conflict',
      actor: 'identity',
      reason: merged ? 'merged' : isPhone ? 'the phone has contacts of its own and stays' : 're-pointed',
      customerId,
      before: { kind: alias.kind, customer_id: otherId },
      after: { kind: alias.kind, customer_id: moved.length > 0 ? customerId : otherId },
    },
  ])
  return merged
}

async function readOther(
  tx: Db,
  orgId: string,
  id: string,
): Promise<{ hasContacts: boolean; hasPhone: boolean }> {
  const { rows } = await tx.$client.query<{ hasContacts: boolean; hasPhone: boolean }>({
    name: 'read-other-customer',
    text: `select exists (select from contacts where org_id = $1 and customer_id = $2) as "hasContacts",
      exists (select from customer_aliases
        where org_id = $1 and customer_id = $2 and kind in ('wa_id', 'phone')) as "hasPhone"`,
    values: [orgId, id],
  })
  return rows[0] ?? { hasContacts: true, hasPhone: true }
}

async function repoint(tx: Db, { orgId, alias, customerId }: Conflict): Promise<Alias[]> {
  await tx.$client.query({
    name: 'repoint-alias',
    text: 'update customer_aliases set customer_id = $4 where org_id = $1 and kind = $2 and value = $3',
    values: [orgId, alias.kind, alias.value, customerId],
  })
  return [alias]
}

/** Held messages of the merged go where the customer's messages at that number go, or stay held. */
async function merge(tx: Db, { orgId, customerId, otherId }: Conflict): Promise<Alias[]> {
  await tx.$client.query({
    name: 'merge-customer',
    text: `update customers set merged_into = $2 where org_id = $1 and id = $3`,
    values: [orgId, customerId, otherId],
  })
  await tx.$client.query({
    name: 'merge-messages',
    text: `update messages m set customer_id = $2, chatroom_id = (
        select r.id from chatrooms r
        where r.org_id = $1 and r.customer_id = $2 and r.waba_phone_id = m.waba_phone_id and m.route = 'held'
        order by r.expired_at desc nulls first, r.deactivated_at desc nulls first, r.created_at desc, r.id desc
        limit 1)
      where m.org_id = $1 and m.customer_id = $3 and m.chatroom_id is null`,
    values: [orgId, customerId, otherId],
  })
  const { rows } = await tx.$client.query<Alias>({
    name: 'merge-aliases',
    text: `update customer_aliases set customer_id = $2 where org_id = $1 and customer_id = $3 returning kind, value`,
    values: [orgId, customerId, otherId],
  })
  return rows
}
