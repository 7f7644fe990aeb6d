import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import type { FormerHolder } from './holdings.ts'
import type { ChangedName, NewCustomer } from './lesson.ts'

const CUSTOMERS = columns<NewCustomer>({
  org_id: text((c) => c.orgId),
  id: uuid((c) => c.id),
  profile_name: text((c) => c.profileName),
  wa_id: text((c) => c.waId),
  wa_id_at: timestamptz((c) => c.waIdAt),
})

/** Inserts customers. */
export function insertCustomers(customers: NewCustomer[]): Statement<void> {
  return over(CUSTOMERS, customers, {
    name: 'insert-customers',
    text: `insert into customers (${CUSTOMERS.names}) select ${CUSTOMERS.names} from ${CUSTOMERS.as('c')}`,
    read: nothing,
  })
}

/**
 * Writes the present and former holders of names. The names were read under the locks on them (`lockNames`), so
 * nobody else has written them since.
 */
export function writeNames(names: ChangedName[]): Statement<void>[] {
  const held = names.filter(({ holding }) => holding.customerId !== undefined)
  const gone = names.filter(({ holding }) => holding.customerId === undefined)
  const former = names.flatMap(({ holding, ...name }) => holding.former.map((of) => ({ ...name, ...of })))
  return [deleteGone(gone), upsertHeld(held), upsertFormer(former)]
}

const HELD = columns<ChangedName>({
  org_id: text((n) => n.orgId),
  kind: text((n) => n.alias.kind),
  value: text((n) => n.alias.value),
  customer_id: uuid((n) => n.holding.customerId),
  since: timestamptz((n) => n.holding.since),
  waba_ids: text((n) => n.holding.wabaIds.join('\n') || null),
})

/** A name is new if its row is of this transaction. */
const NEW_NAMES = `select org_id, 'customer.identified' as type, customer_id,
    json_build_object('kind', kind, 'value', value) as data
  from held where created_at = now()::timestamptz(3)`

function upsertHeld(names: ChangedName[]): Statement<void> {
  return over(HELD, names, {
    name: 'upsert-aliases',
    text: `with held as (
        insert into customer_aliases as a (${HELD.names})
        select org_id, kind, value, customer_id, since, string_to_array(waba_ids, chr(10)) from ${HELD.as('n')}
        on conflict (org_id, kind, value) do update set customer_id = excluded.customer_id, since = excluded.since,
          waba_ids = excluded.waba_ids,
          created_at = case when a.customer_id = excluded.customer_id then a.created_at else excluded.created_at end
        returning a.org_id, a.customer_id, a.kind, a.value, a.created_at)
      ${logSql(`(${NEW_NAMES}) as names`, 'org_id, type, customer_id, data')}`,
    read: nothing,
  })
}

const GONE = columns<ChangedName>({
  org_id: text((n) => n.orgId),
  kind: text((n) => n.alias.kind),
  value: text((n) => n.alias.value),
})

function deleteGone(names: ChangedName[]): Statement<void> {
  return over(GONE, names, {
    name: 'delete-aliases',
    text: `delete from customer_aliases a using ${GONE.as('n')}
      where a.org_id = n.org_id and a.kind = n.kind and a.value = n.value`,
    read: nothing,
  })
}

type FormerName = Omit<ChangedName, 'holding'> & FormerHolder

const FORMER = columns<FormerName>({
  org_id: text((n) => n.orgId),
  kind: text((n) => n.alias.kind),
  value: text((n) => n.alias.value),
  until: timestamptz((n) => n.until),
  customer_id: uuid((n) => n.customerId),
})

function upsertFormer(names: FormerName[]): Statement<void> {
  return over(FORMER, names, {
    name: 'upsert-former-aliases',
    text: `insert into former_aliases (${FORMER.names}) select ${FORMER.names} from ${FORMER.as('n')}
      on conflict (org_id, kind, value, until) do update set customer_id = excluded.customer_id`,
    read: nothing,
  })
}
