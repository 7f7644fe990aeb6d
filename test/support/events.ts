import type { Db } from '../../src/db/client.ts'

// biome-ignore lint/suspicious/noExplicitAny: `before` and `after` are JSON, which the tests assert field by field
type Json = any

/** One entry of the audit. */
export type AuditEvent = {
  kind: string
  actor: string
  reason: string | null
  customer_id: string | null
  contact_id: string | null
  chatroom_id: string | null
  before: Json
  after: Json
}

const COLUMNS = 'kind, actor, reason, customer_id, contact_id, chatroom_id, before, after'

/** The audit of a chatroom, the oldest first. */
export async function eventsOf(db: Db, chatroomId: string): Promise<AuditEvent[]> {
  const text = `select ${COLUMNS} from events where chatroom_id = $1 order by id`
  return (await db.$client.query<AuditEvent>(text, [chatroomId])).rows
}

/** The audit of an org, the oldest first: the kinds that match any of the LIKE patterns, without a pattern all. */
export async function eventsOfOrg(db: Db, orgId: string, ...kinds: string[]): Promise<AuditEvent[]> {
  const text = `select ${COLUMNS} from events where org_id = $1 and kind like any($2) order by id`
  return (await db.$client.query<AuditEvent>(text, [orgId, kinds.length > 0 ? kinds : ['%']])).rows
}
