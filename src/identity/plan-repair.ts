import { type Alias, aliasKey } from './aliases.ts'
import { find } from './find.ts'
import type { Holdings } from './holdings.ts'
import type { Conflict } from './lesson.ts'
import { NOBODY, type Person, phoneNames } from './person.ts'

/** A `wa_id` with a plus, and its digits. */
export type PlusName = { orgId: string; value: string; digits: string }

/** Names that become their digits, names that end, and customers that turn out to be one person. */
export type Repair = { renamed: PlusName[]; dropped: PlusName[]; conflicts: Conflict[] }

/** What becomes of names with a plus, given the holders of everything that `personOfPlusName` looks up. */
export function planRepair(names: PlusName[], known: Holdings): Repair {
  const repair: Repair = { renamed: [], dropped: [], conflicts: [] }
  for (const name of names) planOne(name, known, repair)
  return repair
}

function planOne(name: PlusName, known: Holdings, { renamed, dropped, conflicts }: Repair): void {
  const { orgId, value, digits } = name
  const alias: Alias = { kind: 'wa_id', value: digits }
  const [from, to] = [{ ...alias, value }, alias].map((of) => aliasKey(orgId, of)) as [string, string]
  const held = known.get(from)
  if (held?.customerId === undefined) return
  const { customerId: otherId } = held
  const { customerId = otherId } = find(known, personOfPlusName(name))
  if (customerId !== otherId) {
    conflicts.push({ orgId, alias, customerId, otherId, isProven: true, announced: undefined })
  }
  const isFree = customerId === otherId && !known.has(to)
  if (isFree) known.set(to, held)
  ;(isFree ? renamed : dropped).push(name)
  known.delete(from)
}

/** Whom messages reach by the digits of the name; the name itself is looked up as well. */
export function personOfPlusName({ orgId, value, digits }: PlusName): Person {
  const names: Alias[] = [{ kind: 'wa_id', value }]
  return { ...NOBODY, orgId, ...phoneNames(digits), names }
}
