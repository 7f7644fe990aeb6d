import type { Db } from '../../src/db/client.ts'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import { run } from '../../src/db/statement.ts'
import { accessTokenOf } from '../../src/outbound/access-token.ts'
import { claimSends } from '../../src/outbound/claim-sends.ts'
import type { Send } from '../../src/outbound/read-send.ts'
import { type SendParts, type Sent, sendMessage } from '../../src/outbound/send.ts'

/** Claims all that one org may send now. The pairs of other orgs, left over from other tests, rest from then on. */
export async function claimOf(db: Db, org: string): Promise<Send[]> {
  await db.$client.query('update outbox_pairs set due_at = null where org_id <> $1 and due_at is not null', [
    org,
  ])
  const { sends } = await run(db, claimSends({ slots: 100, slotsOfOrg: 100, underWay: [], unusable: [] }))
  return sends
}

/** Sends all that the row's org may send now; gives the outcome of the row, or `none` if it was not sent. */
export async function sendNow(
  { secretsKey, ...stores }: Omit<SendParts, 'tokens'> & { secretsKey: Buffer },
  row: OutboxRow,
): Promise<Sent['kind'] | 'none'> {
  const parts = { ...stores, tokens: { tokenOf: (send: Send) => accessTokenOf(send, secretsKey) } }
  const sends = await claimOf(parts.db, row.org)
  const outcomes = await Promise.all(sends.map((send) => sendMessage(parts, send)))
  return outcomes[sends.findIndex(({ id }) => id === row.id)]?.kind ?? 'none'
}
