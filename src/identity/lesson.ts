import type { Alias } from './aliases.ts'
import type { Holding } from './holdings.ts'

/** A customer to insert. `waId`: the phone from which the customer wrote, at that time (`waIdAt`). */
export type NewCustomer = {
  orgId: string
  id: string
  profileName: string | undefined
  waId: string | undefined
  waIdAt: Date | undefined
}

/**
 * A name of `customerId` that led to `otherId` until now. `isProven`: Meta says that it is the same person's name.
 * `announced`: Meta announced the name then, together with this BSUID at a number of this WABA, if there is one.
 */
export type Conflict = {
  orgId: string
  alias: Alias
  customerId: string
  otherId: string
  isProven: boolean
  announced: { at: Date; id: { value: string; wabaId: string | undefined } | undefined } | undefined
}

/** A name whose holding changed. */
export type ChangedName = { orgId: string; alias: Alias; holding: Holding }

/**
 * A BSUID under which a phone wrote for the first time, at a number of this WABA. `wasKnown`: the phone was known before.
 * `since`: the customer has the phone since then, and a change of phones changes the BSUID. `others`: how many such ids
 * of that time the same batch brought before this one.
 */
export type NewId = {
  orgId: string
  customerId: string
  wabaId: string
  value: string
  wasKnown: boolean
  since: Date | null
  others: number
}

/** Customers who have another spelling of a phone, or who have the phones of a card. */
export type Ambiguity = { orgId: string; customerId: string; fits: string[]; isCard: boolean }

/** What the names of some people teach. */
export type Lesson = {
  customers: NewCustomer[]
  /** By `aliasKey`. */
  names: Map<string, ChangedName>
  conflicts: Conflict[]
  newIds: NewId[]
  ambiguities: Ambiguity[]
}
