import { type Alias, aliasKey, synonymsOf } from './aliases.ts'

/** Who has a name of an org, and who had it. */
export type Holding = {
  /** The customer who has the name now; undefined once it was given up. */
  customerId: string | undefined
  /** From when on; an older message may be of a former holder. Null: always, as far as is known. */
  since: Date | null
  /** The WABAs at which a BSUID was seen. */
  wabaIds: string[]
  /** Customers who gave the name up, the earliest first. */
  former: FormerHolder[]
}

/** A customer who had a name until that time, and that time included. */
export type FormerHolder = { customerId: string; until: Date }

/** Reports of one change, to each number of a company, come at times that differ by less. */
export const ONE_CHANGE_MS = 60_000

/** Holdings by `aliasKey`. */
export type Holdings = Map<string, Holding>

/** The customer who had the name at that time, or who has it now. */
export function holderAt(holding: Holding | undefined, at: Date | undefined): string | undefined {
  return formerAt(holding, at)?.customerId ?? holding?.customerId
}

/** The former holder whose name it was at that time. */
export function formerAt(holding: Holding | undefined, at: Date | undefined): FormerHolder | undefined {
  return at && holding?.former.find(({ until }) => at <= until)
}

/** The first customer to whom any of the names led at that time. */
export function firstHolder(
  known: Holdings,
  { orgId, at }: { orgId: string; at: Date | undefined },
  aliases: Alias[],
): string | undefined {
  for (const alias of aliases) {
    const holder = holderAt(known.get(aliasKey(orgId, alias)), at)
    if (holder) return holder
  }
  return undefined
}

/** The customer to whom a name, or a name that means the same, led at that time. */
export function holderOf(
  known: Holdings,
  when: { orgId: string; at: Date | undefined },
  alias: Alias,
): string | undefined {
  return firstHolder(known, when, [alias, ...synonymsOf(alias)])
}

/** The name in the hands of a customer who takes it; `announced`: the time at which Meta said so. */
export function take(holding: Holding | undefined, customerId: string, announced: Date | null): Holding {
  const former = holding?.former ?? []
  return { customerId, since: later(former.at(-1)?.until ?? null, announced), wabaIds: [], former }
}

/** The name, which another customer had at that time, in the hands of this one. */
export function move(holding: Holding, customerId: string, at: Date | undefined): Holding {
  const moved = formerAt(holding, at)
  if (!moved) return { ...holding, customerId }
  return { ...holding, former: holding.former.map((f) => (f === moved ? { ...f, customerId } : f)) }
}

/**
 * The name in the hands of another customer, who has it from that time on: until its present holder got it, if that was
 * later still.
 */
export function handOver(holding: Holding, customerId: string, at: Date): Holding {
  const { since, former } = holding
  if (since && since >= at) return { ...holding, former: [...former, { customerId, until: since }] }
  const before = holding.customerId === undefined ? [] : [{ customerId: holding.customerId, until: at }]
  return { customerId, since: at, wabaIds: [], former: [...former, ...before] }
}

/**
 * The name after the customer gave it up; undefined when that changes nothing: the customer gave it up already, took it
 * again later, or somebody else has it. `isNamed`: Meta named it, so it was the customer's even if nobody knew.
 */
export function giveUp(
  holding: Holding | undefined,
  { customerId, until, isNamed }: FormerHolder & { isNamed: boolean },
): Holding | undefined {
  const { former = [], since = null } = holding ?? {}
  const given = {
    customerId: undefined,
    since: null,
    wabaIds: [],
    former: [...former, { customerId, until }],
  }
  if (holding?.customerId === customerId) return since && since >= until ? undefined : given
  const isNews = holding?.customerId === undefined && former.at(-1)?.customerId !== customerId
  return isNamed && isNews && !formerAt(holding, until) ? given : undefined
}

/** Notes that the holder has the name, by Meta's word of that time, and that a BSUID was seen at a WABA. */
export function confirm(
  holding: Holding,
  { announced, wabaId }: { announced: Date | null; wabaId: string | undefined },
): Holding {
  const isSeen = wabaId === undefined || holding.wabaIds.includes(wabaId)
  const since = later(holding.since, announced)
  if (isSeen && since === holding.since) return holding
  return { ...holding, since, wabaIds: isSeen ? holding.wabaIds : [...holding.wabaIds, wabaId] }
}

function later(a: Date | null, b: Date | null): Date | null {
  return a && b ? (a >= b ? a : b) : (a ?? b)
}
