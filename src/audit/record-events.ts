import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'

/** One state change: what, who, why, and the state before and after. `actor`: `routing`, `sweep`, `user:<id>` ... */
export type AuditEvent = {
  orgId: string
  kind: string
  actor: string
  reason?: string
  customerId?: string
  contactId?: string
  chatroomId?: string
  wamid?: string
  before?: unknown
  after?: unknown
}

/** Writes the audit of a transaction in one statement; call it in the transaction that made the changes. */
export async function recordEvents(tx: Db, events: AuditEvent[]): Promise<void> {
  if (events.length === 0) return
  const column = (pick: (event: AuditEvent) => string | undefined) => events.map((e) => pick(e) ?? null)
  const json = (value: unknown) => (value === undefined ? undefined : JSON.stringify(value))
  await tx.$client.query({
    name: 'record-events',
    text: `insert into events (org_id, id, kind, actor, reason, customer_id, contact_id, chatroom_id, wamid, before, after)
      select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[],
        $8::uuid[], $9::text[], $10::json[], $11::json[])`,
    values: [
      column((e) => e.orgId),
      events.map(() => uuidv7()),
      column((e) => e.kind),
      column((e) => e.actor),
      column((e) => e.reason),
      column((e) => e.customerId),
      column((e) => e.contactId),
      column((e) => e.chatroomId),
      column((e) => e.wamid),
      column((e) => json(e.before)),
      column((e) => json(e.after)),
    ],
  })
}
