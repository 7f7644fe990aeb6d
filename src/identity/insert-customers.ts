import { type AuditEvent, insertEvents } from '../audit/record-events.ts'
import { columns, text, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import type { Alias } from './aliases.ts'

/** `fits`: the customers who have another spelling of the new customer's phone. */
export type NewCustomer = { orgId: string; id: string; profileName: string | undefined; fits: string[] }
export type NewAlias = { orgId: string; alias: Alias; customerId: string }

const CUSTOMERS = columns<NewCustomer>({
  org_id: text((c) => c.orgId),
  id: uuid((c) => c.id),
  profile_name: text((c) => c.profileName),
})

/** Inserts customers, with an audit event for each whose phone fitted several known ones. */
export function insertCustomers(customers: NewCustomer[]): Statement<void>[] {
  const insert = over(CUSTOMERS, customers, {
    name: 'insert-customers',
    text: `insert into customers (${CUSTOMERS.names}) select ${CUSTOMERS.names} from ${CUSTOMERS.as('c')}`,
    read: nothing,
  })
  return [insert, insertEvents(customers.filter(({ fits }) => fits.length > 1).map(ambiguity))]
}

function ambiguity({ orgId, id, fits }: NewCustomer): AuditEvent {
  return {
    orgId,
    kind: 'customer.ambiguous',
    actor: 'identity',
    reason: 'several customers have another spelling of this phone; none was guessed',
    customerId: id,
    after: { fits },
  }
}

const ALIASES = columns<NewAlias>({
  org_id: text((a) => a.orgId),
  kind: text((a) => a.alias.kind),
  value: text((a) => a.alias.value),
  customer_id: uuid((a) => a.customerId),
})

/** Inserts names of customers; a name that exists already is refused by the primary key. */
export function insertAliases(aliases: NewAlias[]): Statement<void> {
  return over(ALIASES, aliases, {
    name: 'insert-aliases',
    text: `insert into customer_aliases (${ALIASES.names}) select ${ALIASES.names} from ${ALIASES.as('a')}`,
    read: nothing,
  })
}
