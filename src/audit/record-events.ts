import type { Db } from '../db/client.ts'
import { columns, json, text, uuid } from '../db/columns.ts'
import { nothing, over, run, type Statement } from '../db/statement.ts'
import { MICROSECONDS, uuidAt } from '../db/uuid-at.ts'
import { logSql } from '../event-log/log-events.ts'
import { EVENT_TYPES } from '../event-log/types.ts'

/** What can happen to a row that the audit tells of. */
export type EventKind =
  | `chatroom.${'created' | 'activated' | 'reactivated' | 'deactivated' | 'expired' | 'assigned' | 'renamed'}`
  | `chatroom.${'handover_set' | 'handed_over' | 'handover_cancelled' | 'unassigned' | 'auto_reply_paused'}`
  | `contact.${'created' | 'updated' | 'disposition_updated' | 'expired'}`
  | `customer.${'erased' | 'ambiguous' | 'identity_conflict' | 'new_identity' | 'opted_out' | 'opted_in'}`
  | `message.${'queued' | 'retried'}`
  | `org.${'created' | 'renamed' | 'settings_changed'}`
  | `waba.${'created' | 'updated' | 'deleted'}`
  | `number.${'created' | 'updated' | 'moved' | 'deleted'}`
  | `user.${'created' | 'updated' | 'removed' | 'restored'}`
  | `group.${'created' | 'renamed' | 'deleted' | 'members_added' | 'members_removed'}`
  | `affiliate.${'created' | 'removed'}`
  | `webhook_endpoint.${'created' | 'updated' | 'deleted' | 'secret_rotated' | 'replayed' | 'disabled'}`

/** The reason of a change that a caller of the API, or a provision file, asked for. */
export const ASKED_FOR = 'asked for'

/** One state change: what, who, why, and the state before and after. `actor`: `routing`, `sweep`, `user:<id>` ... */
export type AuditEvent = {
  orgId: string
  kind: EventKind
  actor: string
  reason?: string
  customerId?: string
  contactId?: string
  chatroomId?: string
  wamid?: string
  before?: unknown
  after?: unknown
}

const EVENTS = columns<AuditEvent>({
  org_id: text((e) => e.orgId),
  kind: text((e) => e.kind),
  actor: text((e) => e.actor),
  reason: text((e) => e.reason),
  customer_id: uuid((e) => e.customerId),
  contact_id: uuid((e) => e.contactId),
  chatroom_id: uuid((e) => e.chatroomId),
  wamid: text((e) => e.wamid),
  before: json((e) => jsonOf(e.before)),
  after: json((e) => jsonOf(e.after)),
})
/** The kinds that the event log shows, and their types there. */
const SHOWN = `select org_id, customer_id, id as audit_id,
    case kind when 'contact.disposition_updated' then 'contact.disposition' else kind end as type
  from audit where kind in (${['contact.disposition_updated', ...EVENT_TYPES].map((kind) => `'${kind}'`).join(', ')})`
const INSERT = `with audit as (
    insert into events (id, ${EVENTS.names}) select ${uuidAt('c.us', 'e.place')}, ${EVENTS.names}
    from ${EVENTS.as('e', { ordinality: 'place' })}
    cross join lateral (select ${MICROSECONDS} as us offset 0) c
    returning org_id, id, kind, customer_id)
  ${logSql(`(${SHOWN}) as shown`, 'org_id, type, customer_id, audit_id')}`

/**
 * Writes the audit of a transaction, and what the event log shows of it; it belongs in the transaction that makes the
 * changes, after the lock of the customer. The ids order the audit. They begin with the time of the database's clock: by
 * the clocks of the processes, a change could stand before the one that it follows.
 */
export function insertEvents(events: AuditEvent[]): Statement<void> {
  return over(EVENTS, events, { name: 'record-events', text: INSERT, read: nothing })
}

/** Runs `insertEvents`. */
export function recordEvents(tx: Db, events: AuditEvent[]): Promise<void> {
  return run(tx, insertEvents(events))
}

function jsonOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
