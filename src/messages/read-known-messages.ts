import { textArray } from '../db/arrays.ts'
import type { Db } from '../db/client.ts'
import { ledgerKey } from '../rules/keys.ts'

/** The types of those messages that are in the ledger already, by `ledgerKey`. */
export async function readKnownMessages(
  tx: Db,
  messages: { orgId: string; wamid: string }[],
): Promise<Map<string, string>> {
  const { rows } = await tx.$client.query<{ org_id: string; wamid: string; type: string }>({
    name: 'read-known-messages',
    text: `select m.org_id, m.wamid, m.type
      from unnest($1::text[], $2::text[]) as k(org_id, wamid)
      join messages m on m.org_id = k.org_id and m.wamid = k.wamid`,
    values: [textArray(messages.map((m) => m.orgId)), textArray(messages.map((m) => m.wamid))],
  })
  return new Map(rows.map((r) => [ledgerKey({ orgId: r.org_id, wamid: r.wamid }), r.type]))
}
