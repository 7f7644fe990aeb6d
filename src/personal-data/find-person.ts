import type { Db } from '../db/client.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { ApiError } from '../errors.ts'
import { findCustomerAsked, readNames } from '../identity/read-customer.ts'
import { nameValues } from './names-in-json.ts'

/**
 * A person as one org knows them. `customerIds`: the customer, then every customer that was merged into it. `values`: how
 * JSON spells the names that the person has or had (`src/personal-data/names-in-json.ts`), but for those of others by now.
 */
export type KnownPerson = {
  orgId: string
  customerIds: string[]
  values: ReadonlySet<string>
}

/** How a request names a person: by phone (E.164), or by a BSUID or parent BSUID. */
export type Asked = { phone?: string | undefined; userId?: string | undefined }

/**
 * The person whom `GET /v1/org/{orgId}/customer` would show.
 * @throws ApiError CUSTOMER_NOT_FOUND
 */
export async function findPerson(db: Db, orgId: string, asked: Asked): Promise<KnownPerson> {
  const customerId = await findCustomerAsked(db, orgId, asked)
  if (customerId === undefined) throw new ApiError('CUSTOMER_NOT_FOUND')
  return readPerson(db, orgId, customerId)
}

/** The person behind a customer, with all names as they are now. */
export function readPerson(db: Db, orgId: string, customerId: string): Promise<KnownPerson> {
  return inTransaction(db, async (tx) => {
    const [merged, names] = await send(tx, [readMerged(orgId, customerId), readNames(orgId, customerId)])
    const customerIds = [customerId, ...merged]
    const spellings = nameValues(names)
    const others = await run(tx, readNamesOfOthers(orgId, spellings, customerIds))
    return { orgId, customerIds, values: new Set(spellings.filter((value) => !others.has(value))) }
  })
}

/** The customers that were merged into this one, directly or by way of others. */
function readMerged(orgId: string, customerId: string): Statement<string[]> {
  return {
    name: 'read-merged-customers',
    text: `with recursive merged as (
        select id from customers where org_id = $1 and merged_into = $2
        union
        select c.id from merged m join customers c on c.org_id = $1 and c.merged_into = m.id)
      select id from merged order by id`,
    values: [orgId, customerId],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

/** Which of these spellings are names of other customers now: somebody else may have a phone that the person gave up. */
function readNamesOfOthers(orgId: string, spellings: string[], mine: string[]): Statement<Set<string>> {
  const values = spellings.flatMap((value) => [value, `+${value}`])
  return {
    name: 'read-names-of-others',
    text: `select value from customer_aliases where org_id = $1 and kind in ('phone', 'wa_id', 'bsuid', 'parent_bsuid')
        and value = any($2::text[]) and customer_id <> all($3::uuid[])`,
    values: [orgId, values, mine],
    read: (rows: { value: string }[]) => new Set(rows.map(({ value }) => value.replace(/^\+/, ''))),
  }
}

/** Meta's ids of the numbers and WABAs of an org, present and former ones. */
export function readMetaIds(db: Db, orgId: string): Promise<ReadonlySet<string>> {
  return run(db, {
    name: 'read-meta-ids-of-org',
    text: 'select id from meta_objects where org_id = $1',
    values: [orgId],
    read: (rows: { id: string }[]) => new Set(rows.map(({ id }) => id)),
  })
}
