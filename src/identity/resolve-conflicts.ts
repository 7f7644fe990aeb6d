import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { aliasKey, isId } from './aliases.ts'
import { type AnnouncedPhone, announcePhone } from './announced-phones.ts'
import type { Holdings } from './holdings.ts'
import type { Conflict } from './lesson.ts'
import { mergeCustomer } from './merge-customer.ts'
import { writeNames } from './write-names.ts'

/**
 * Resolves names that lead to two customers, one by one: they are rare. Meta's ids follow the customer that the phone
 * decided for; a phone is never taken from a customer of whom the CRM has contacts. A customer without contacts merges
 * into the other one, with names and held messages, unless a phone or another BSUID of its own speaks against it.
 * Chatrooms are never merged. The customers must be locked. Each conflict is an `events` row. The rule: docs/rules.md#when-names-disagree.
 */
export async function resolveConflicts(tx: Db, conflicts: Conflict[], known: Holdings): Promise<void> {
  const phones: AnnouncedPhone[] = []
  // One conflict may merge a customer that a later one still names.
  const mergedInto = new Map<string, string>()
  const current = (id: string): string => {
    const into = mergedInto.get(id)
    return into === undefined ? id : current(into)
  }
  for (const given of conflicts) {
    const conflict = { ...given, customerId: current(given.customerId), otherId: current(given.otherId) }
    if (conflict.customerId === conflict.otherId) continue
    const outcome = await resolveConflict(tx, conflict)
    if (outcome === 'merged') mergedInto.set(conflict.otherId, conflict.customerId)
    if (outcome === 'merged into the other') mergedInto.set(conflict.customerId, conflict.otherId)
    const { orgId, alias, announced, customerId } = conflict
    if (announced && !isId(alias) && outcome !== STAYS)
      phones.push({ orgId, alias, customerId, at: announced.at })
  }
  if (mergedInto.size > 0) mergeHoldings(known, current)
  // An announced phone changes hands; its holder until then was another person. An id did so when it was written.
  const changed = phones.flatMap((of) => announcePhone(known, { ...of, customerId: current(of.customerId) }))
  // Several numbers of a company get a report of the same change: of each name, the last state counts.
  const last = new Map(changed.map((name) => [aliasKey(name.orgId, name.alias), name]))
  await send(tx, writeNames([...last.values()]))
}

const STAYS = 'the phone has contacts of its own and stays'

/** What becomes of a name that two customers have. */
type Outcome = 'merged' | 'merged into the other' | 're-pointed' | typeof STAYS

async function resolveConflict(tx: Db, conflict: Conflict): Promise<Outcome> {
  const { orgId, alias, customerId, otherId } = conflict
  const outcome = outcomeOf(conflict, await run(tx, readBoth(conflict)))
  if (outcome === 'merged') await send(tx, mergeCustomer(orgId, { from: otherId, into: customerId }))
  if (outcome === 'merged into the other')
    await send(tx, mergeCustomer(orgId, { from: customerId, into: otherId }))
  const hasMoved = outcome === 'merged' || outcome === 're-pointed'
  await recordEvents(tx, [
    {
      orgId,
      kind: 'customer.identity_conflict',
      actor: 'identity',
      reason: outcome,
      customerId: outcome === 'merged into the other' ? otherId : customerId,
      before: { kind: alias.kind, customer_id: otherId },
      after: { kind: alias.kind, customer_id: hasMoved ? customerId : otherId },
    },
  ])
  return outcome
}

/** What speaks for and against one person. `hasOtherId`: another BSUID than the announced one, seen at the same WABA. */
type Both = {
  hasContacts: boolean
  otherHasContacts: boolean
  otherHasPhone: boolean
  otherHasOtherId: boolean
}

function outcomeOf({ alias, isProven }: Conflict, both: Both): Outcome {
  const isOfMeta = isId(alias)
  const isOnePerson = isOfMeta ? isProven || !both.otherHasPhone : !both.otherHasOtherId
  if (isOnePerson && !both.otherHasContacts) return 'merged'
  if (isOnePerson && isProven && !both.hasContacts) return 'merged into the other'
  return isOfMeta || !both.otherHasContacts ? 're-pointed' : STAYS
}

function readBoth({ orgId, customerId, otherId, announced }: Conflict): Statement<Both> {
  return {
    name: 'read-both-customers',
    text: `select exists (select from contacts where org_id = $1 and customer_id = $2) as "hasContacts",
      exists (select from contacts where org_id = $1 and customer_id = $3) as "otherHasContacts",
      exists (select from customer_aliases
        where org_id = $1 and customer_id = $3 and kind in ('wa_id', 'phone')) as "otherHasPhone",
      exists (select from customer_aliases
        where org_id = $1 and customer_id = $3 and kind = 'bsuid' and value <> $5 and $4 = any(waba_ids)
      ) as "otherHasOtherId"`,
    values: [orgId, customerId, otherId, announced?.id?.wabaId ?? null, announced?.id?.value ?? null],
    read: ([both]: Both[]) =>
      both ?? { hasContacts: true, otherHasContacts: true, otherHasPhone: true, otherHasOtherId: true },
  }
}

function mergeHoldings(known: Holdings, current: (id: string) => string): void {
  for (const [key, holding] of known) {
    const { customerId, former } = holding
    known.set(key, {
      ...holding,
      customerId: customerId && current(customerId),
      former: former.map((of) => ({ ...of, customerId: current(of.customerId) })),
    })
  }
}
