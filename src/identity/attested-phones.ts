import type { Db } from '../db/client.ts'
import { columns, text, uuid } from '../db/columns.ts'
import { over, run, type Statement } from '../db/statement.ts'
import { find } from './find.ts'
import type { Holdings } from './holdings.ts'
import type { CustomerKey } from './lock-customers.ts'
import { type Person, phoneNames } from './person.ts'

/**
 * The people, with the phone that Meta attests in the place of a phone of their own: only for somebody of whom no phone
 * is known, and only where the card names one phone (docs/rules.md#who-wrote).
 */
export async function withAttestedPhones(tx: Db, people: Person[], known: Holdings): Promise<Person[]> {
  const asked = people.filter(isAsked)
  if (asked.length === 0) return people
  const customers = asked.flatMap((person) => {
    const { customerId: id } = find(known, person)
    return id === undefined ? [] : [{ orgId: person.orgId, id }]
  })
  const havePhone = await run(tx, readThoseWithPhone(customers))
  return people.map((person) => {
    if (!isAsked(person)) return person
    const { customerId } = find(known, person)
    return havePhone.has(customerId) ? { ...person, attestedPhones: [] } : withPhone(person)
  })
}

function isAsked({ attestedPhones, passive }: Person): boolean {
  return attestedPhones.length > 0 && !passive
}

function withPhone(person: Person): Person {
  const [phone, ...more] = person.attestedPhones
  if (phone === undefined || more.length > 0) return person
  return { ...person, ...phoneNames(phone), names: [{ kind: 'wa_id', value: phone }, ...person.names] }
}

const CUSTOMERS = columns<CustomerKey>({ org_id: text((c) => c.orgId), id: uuid((c) => c.id) })

/** Those of the customers who have a phone. */
function readThoseWithPhone(customers: CustomerKey[]): Statement<Set<string | undefined>> {
  return over(CUSTOMERS, customers, {
    name: 'read-customers-with-phone',
    text: `select distinct c.id from ${CUSTOMERS.as('c')}
      join customer_aliases a on a.org_id = c.org_id and a.customer_id = c.id and a.kind in ('phone', 'wa_id')`,
    read: (rows: { id: string }[]) => new Set(rows.map(({ id }) => id)),
  })
}
