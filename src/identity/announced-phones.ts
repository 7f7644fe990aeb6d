import { type Alias, aliasKey, synonymsOf } from './aliases.ts'
import { confirm, type Holding, type Holdings, handOver, take } from './holdings.ts'
import type { ChangedName } from './lesson.ts'

/** A phone that Meta announced as this customer's at that time. */
export type AnnouncedPhone = { orgId: string; alias: Alias; customerId: string; at: Date }

/** Brings `known` up to date with a phone that is the customer's from that time on, in the spellings that are known. */
export function announcePhone(
  known: Holdings,
  { orgId, alias, customerId, at }: AnnouncedPhone,
): ChangedName[] {
  return synonymsOf(alias).flatMap((name) => {
    const key = aliasKey(orgId, name)
    const holding = known.get(key)
    const next =
      announced(holding, customerId, at) ?? (name.kind === alias.kind && take(holding, customerId, at))
    if (!next || next === holding) return []
    known.set(key, next)
    return [{ orgId, alias: name, holding: next }]
  })
}

function announced(holding: Holding | undefined, customerId: string, at: Date): Holding | undefined {
  if (holding?.customerId === undefined) return undefined
  if (holding.customerId !== customerId) return handOver(holding, customerId, at)
  return confirm(holding, { announced: at, wabaId: undefined })
}
