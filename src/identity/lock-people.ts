import type { Db } from '../db/client.ts'
import { run, send } from '../db/statement.ts'
import { orgOfKey } from './aliases.ts'
import { readAliases } from './find-customers.ts'
import type { Holdings } from './holdings.ts'
import { type CustomerKey, lockCustomers } from './lock-customers.ts'
import { lockNames } from './lock-names.ts'
import type { Person } from './person.ts'

/**
 * Locks the names of these people and the customers whom the names lead to, all in the one order, for a transaction that
 * handles the people one after another, or all together; and the customers in `along`. Writes nothing.
 * @returns the present holders of their names
 * @throws RetryError when a customer was merged into another one meanwhile
 */
export async function lockPeople(tx: Db, people: Person[], along: CustomerKey[] = []): Promise<Holdings> {
  const [, known] = await send(tx, [lockNames(people), readAliases(people)])
  await run(tx, lockCustomers([...holdersOf(known), ...along]))
  return known
}

/** Every customer who has, or had, one of these names. */
export function holdersOf(known: Holdings): CustomerKey[] {
  const holders: CustomerKey[] = []
  const orgOfHolder = new Map<string, string>()
  const add = (key: string, id: string) => {
    const orgId = orgOfKey(key)
    if (orgOfHolder.get(id) === orgId) return
    orgOfHolder.set(id, orgId)
    holders.push({ orgId, id })
  }
  for (const [key, { customerId, former }] of known) {
    if (customerId !== undefined) add(key, customerId)
    for (const of of former) add(key, of.customerId)
  }
  return holders
}
