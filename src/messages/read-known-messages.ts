import { columns, text } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import { ledgerKey } from '../rules/keys.ts'

type Key = { orgId: string; wamid: string }

const KEYS = columns<Key>({ org_id: text((k) => k.orgId), wamid: text((k) => k.wamid) })

/** The types of the messages that are in the ledger already, by `ledgerKey`. */
export function readKnownMessages(messages: Key[]): Statement<Map<string, string>> {
  return over(KEYS, messages, {
    name: 'read-known-messages',
    text: `select m.org_id as "orgId", m.wamid, m.type
      from ${KEYS.as('k')} join messages m on m.org_id = k.org_id and m.wamid = k.wamid`,
    read: (rows: (Key & { type: string })[]) => new Map(rows.map((row) => [ledgerKey(row), row.type])),
  })
}
