import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { allRows, nothing, run, type Statement, send } from '../db/statement.ts'
import { PREFERRED_FIRST } from '../rules/latest.ts'
import { type Alias, aliasKey, isId } from './aliases.ts'
import type { KnownAliases } from './find-customers.ts'
import { lockCustomers } from './lock-customers.ts'

/** A name of `customerId` that led to `otherId` until now. */
export type Conflict = { orgId: string; alias: Alias; customerId: string; otherId: string }

/**
 * Resolves names that lead to two customers, one by one: they are rare. Meta's ids follow the customer that the phone
 * decided for; a phone is never taken from a customer of whom the CRM has contacts. A customer without contacts, and
 * without a phone of its own other than the name in question, merges into the other one: its names and held messages
 * move. Chatrooms are never merged. Each conflict is an `events` row. The rule: docs/rules.md#when-names-disagree.
 */
export async function resolveConflicts(tx: Db, conflicts: Conflict[], known: KnownAliases): Promise<void> {
  await run(
    tx,
    lockCustomers(
      conflicts.flatMap(({ orgId, customerId, otherId }) => [
        { orgId, id: customerId },
        { orgId, id: otherId },
      ]),
    ),
  )
  // One conflict may merge a customer that a later one still names.
  const mergedInto = new Map<string, string>()
  const current = (id: string): string => {
    const into = mergedInto.get(id)
    return into === undefined ? id : current(into)
  }
  for (const { orgId, alias, ...ids } of conflicts) {
    const conflict = { orgId, alias, customerId: current(ids.customerId), otherId: current(ids.otherId) }
    if (conflict.customerId === conflict.otherId) continue
    if (await resolveConflict(tx, conflict, known)) mergedInto.set(conflict.otherId, conflict.customerId)
  }
  for (const [key, id] of known) known.set(key, current(id))
}

/** True when the other customer was merged. */
async function resolveConflict(tx: Db, conflict: Conflict, known: KnownAliases): Promise<boolean> {
  const { orgId, alias, customerId, otherId } = conflict
  const other = await run(tx, readOther(conflict))
  const isPhone = !isId(alias)
  const merged = !other.hasContacts && (isPhone || !other.hasPhone)
  const moved = merged ? await merge(tx, conflict) : isPhone ? [] : await run(tx, repoint(conflict))
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

type Other = { hasContacts: boolean; hasPhone: boolean }

function readOther({ orgId, otherId }: Conflict): Statement<Other> {
  return {
    name: 'read-other-customer',
    text: `select exists (select from contacts where org_id = $1 and customer_id = $2) as "hasContacts",
      exists (select from customer_aliases
        where org_id = $1 and customer_id = $2 and kind in ('wa_id', 'phone')) as "hasPhone"`,
    values: [orgId, otherId],
    read: ([other]: Other[]) => other ?? { hasContacts: true, hasPhone: true },
  }
}

function repoint({ orgId, alias, customerId }: Conflict): Statement<Alias[]> {
  return {
    name: 'repoint-alias',
    text: 'update customer_aliases set customer_id = $4 where org_id = $1 and kind = $2 and value = $3',
    values: [orgId, alias.kind, alias.value, customerId],
    read: () => [alias],
  }
}

/**
 * Merges the other customer. Its held messages go to the chatroom that a message of the customer at that number would
 * go to, or stay held where there is none.
 */
async function merge(tx: Db, { orgId, customerId, otherId }: Conflict): Promise<Alias[]> {
  const values = [orgId, customerId, otherId]
  const [, , aliases] = await send(tx, [
    {
      name: 'merge-customer',
      text: 'update customers set merged_into = $2 where org_id = $1 and id = $3',
      values,
      read: nothing,
    },
    {
      name: 'merge-messages',
      text: `update messages m set customer_id = $2, chatroom_id = (
          select r.id from chatrooms r
          where r.org_id = $1 and r.customer_id = $2 and r.waba_phone_id = m.waba_phone_id and m.route = 'held'
          order by ${PREFERRED_FIRST}
          limit 1)
        where m.org_id = $1 and m.customer_id = $3 and m.chatroom_id is null`,
      values,
      read: nothing,
    },
    {
      name: 'merge-aliases',
      text: `update customer_aliases set customer_id = $2 where org_id = $1 and customer_id = $3 returning kind, value`,
      values,
      read: allRows<Alias>,
    },
  ])
  return aliases
}
