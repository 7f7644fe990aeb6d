import { columns, text } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { type Alias, aliasKey } from './aliases.ts'
import { namesToLookUp, type Person } from './person.ts'

type Name = { orgId: string; alias: Alias }

const NAMES = columns<Name>({ name: text(({ orgId, alias }) => aliasKey(orgId, alias)) })

/** Bounds the memory that PostgreSQL needs for locks; two names that share a lock only wait for each other needlessly. */
const LOCKS = 2_048
/** Sets these locks apart from other advisory locks. Its bytes spell NAME. */
const CLASS = 0x4e414d45

/**
 * Locks every name that may lead to these people until the transaction ends, in one order: the holder of a name is
 * decided by one transaction at a time, or two batches could give one name to two customers. Names of other people in the
 * org are not affected.
 */
export function lockNames(people: Person[]): Statement<void> {
  const names = people.flatMap((person) =>
    namesToLookUp(person).map((alias) => ({ orgId: person.orgId, alias })),
  )
  return over(NAMES, names, {
    name: 'lock-names',
    text: `select pg_advisory_xact_lock(${CLASS}, lock) from (
      select distinct (hashtextextended(n.name, 0) & ${LOCKS - 1})::int as lock from ${NAMES.as('n')} order by lock) locks`,
    read: nothing,
  })
}
