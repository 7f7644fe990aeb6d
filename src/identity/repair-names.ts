import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { nothing, over, run, type Statement, send } from '../db/statement.ts'
import { phoneDigits } from '../rules/phone-digits.ts'
import { lockPeople } from './lock-people.ts'
import { type PlusName, personOfPlusName, planRepair } from './plan-repair.ts'
import { resolveConflicts } from './resolve-conflicts.ts'

/** Routing waits for one batch at most. */
const BATCH = 50

/**
 * Repairs what former versions stored: a `wa_id` that is written like a phone with a plus becomes its digits. If the
 * digits lead to another customer, both are one person and are merged, or, if both have contacts, an audit row says so
 * (docs/operate.md#names-of-former-versions). Each batch is a transaction of its own, so routing goes on, and a repair
 * that was ended goes on at the next call. Gives the number of names repaired.
 */
export async function repairNames(db: Db, signal?: AbortSignal): Promise<number> {
  let repaired = 0
  let after = { orgId: '', value: '' }
  while (!signal?.aborted) {
    const names = await run(db, readPlusNames(after))
    const last = names.at(-1)
    if (!last) break
    repaired += await inRetriedTransaction(db, (tx) => repairBatch(tx, names))
    after = last
  }
  return repaired
}

function readPlusNames({ orgId, value }: { orgId: string; value: string }): Statement<PlusName[]> {
  return {
    name: 'read-plus-names',
    text: `select org_id as "orgId", value from customer_aliases
      where kind = 'wa_id' and value like '+%' and (org_id, value) > ($1, $2)
      order by org_id, value limit ${BATCH}`,
    values: [orgId, value],
    read: (rows: { orgId: string; value: string }[]) =>
      rows.map((row) => ({ ...row, digits: phoneDigits(row.value) ?? '' })),
  }
}

async function repairBatch(tx: Db, batch: PlusName[]): Promise<number> {
  const names = batch.filter(({ digits }) => digits !== '')
  const known = await lockPeople(tx, names.map(personOfPlusName))
  const { renamed, dropped, conflicts } = planRepair(names, known)
  await send(tx, [renameNames(renamed), dropNames(dropped)])
  if (conflicts.length > 0) await resolveConflicts(tx, conflicts, known)
  return renamed.length + dropped.length
}

const NAMES = columns<PlusName>({
  org_id: text((n) => n.orgId),
  value: text((n) => n.value),
  digits: text((n) => n.digits),
})

function renameNames(names: PlusName[]): Statement<void> {
  return over(NAMES, names, {
    name: 'rename-plus-names',
    text: `update customer_aliases a set value = n.digits from ${NAMES.as('n')}
      where a.org_id = n.org_id and a.kind = 'wa_id' and a.value = n.value`,
    read: nothing,
  })
}

function dropNames(names: PlusName[]): Statement<void> {
  return over(NAMES, names, {
    name: 'drop-plus-names',
    text: `delete from customer_aliases a using ${NAMES.as('n')}
      where a.org_id = n.org_id and a.kind = 'wa_id' and a.value = n.value`,
    read: nothing,
  })
}
