import { columns, text } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import { ledgerKey } from '../rules/keys.ts'

type Key = { orgId: string; wamid: string }

const KEYS = columns<Key>({ org_id: text((k) => k.orgId), wamid: text((k) => k.wamid) })

/** What routing needs of a message in the ledger. */
export type KnownMessage = { type: string; roomId: string | null }

/** The messages of these keys that are in the ledger already, by `ledgerKey`. */
export function readKnownMessages(messages: Key[]): Statement<Map<string, KnownMessage>> {
  return over(KEYS, messages, {
    name: 'read-known-messages',
    text: `select m.org_id as "orgId", m.wamid, m.type, m.chatroom_id as "roomId"
      from ${KEYS.as('k')} join messages m on m.org_id = k.org_id and m.wamid = k.wamid`,
    read: (rows: (Key & KnownMessage)[]) =>
      new Map(rows.map(({ type, roomId, ...key }) => [ledgerKey(key), { type, roomId }])),
  })
}
