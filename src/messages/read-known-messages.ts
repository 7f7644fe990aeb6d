import { columns, text, timestamptz } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'
import { ledgerKey } from '../rules/keys.ts'
import { type LedgerEntry, spanOfAll } from '../rules/ledger-months.ts'

const KEYS = columns<LedgerEntry>({
  org_id: text((k) => k.orgId),
  wamid: text((k) => k.wamid),
  since: timestamptz((k) => k.months.since),
  until: timestamptz((k) => k.months.until),
})

/** What routing needs of a message in the ledger. */
export type KnownMessage = { type: string; roomId: string | null; sentAt: Date }
type Row = KnownMessage & { orgId: string; wamid: string }

/**
 * The messages of these keys that are in the ledger already, by `ledgerKey`. PostgreSQL opens the partitions of the span of all
 * messages, and looks for each message in the partitions of its own span. `offset 0` makes PostgreSQL look up each key by the
 * index: in a plain join, the bounds of the span let it expect few rows in a month without statistics, read the whole month, and
 * compare each row with each key.
 */
export function readKnownMessages(messages: LedgerEntry[]): Statement<Map<string, KnownMessage>> {
  const { since, until } = spanOfAll(messages.map(({ months }) => months))
  return over(KEYS, messages, {
    name: 'read-known-messages',
    text: `select m.org_id as "orgId", m.wamid, m.type, m.chatroom_id as "roomId", m.sent_at as "sentAt"
      from ${KEYS.as('k')} cross join lateral (
        select org_id, wamid, type, chatroom_id, sent_at from messages
        where org_id = k.org_id and wamid = k.wamid and sent_at >= k.since and sent_at < k.until
          and sent_at >= $5 and sent_at < $6 offset 0) m`,
    values: [since, until],
    read: (rows: Row[]) =>
      new Map(rows.map(({ orgId, wamid, ...known }) => [ledgerKey({ orgId, wamid }), known])),
  })
}
