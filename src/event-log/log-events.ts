import { columns, json, text, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { POSITION } from './position.ts'
import type { EventType } from './types.ts'

/** An event that its statement could not log itself; see `event_log`. `data`: what no other row keeps. */
export type LoggedEvent = {
  orgId: string
  type: EventType
  customerId?: string | null
  wamid?: string
  data?: unknown
}

const EVENTS = columns<LoggedEvent>({
  org_id: text((e) => e.orgId),
  type: text((e) => e.type),
  customer_id: uuid((e) => e.customerId),
  wamid: text((e) => e.wamid),
  data: json((e) => (e.data === undefined ? undefined : JSON.stringify(e.data))),
})

/**
 * Logs events, in the transaction that makes them true, and after the statement that takes the lock which orders them
 * (`src/event-log/position.ts`).
 */
export function logEvents(events: LoggedEvent[]): Statement<void> {
  return over(EVENTS, events, {
    name: 'log-events',
    text: logSql(EVENTS.as('e'), EVENTS.names),
    read: nothing,
  })
}

/**
 * SQL: logs one event for each row of `source`, in its order. `names` are the columns of `event_log` that it gives.
 * `insert ... returning` as a source makes it part of the statement that changes something, without a round trip; that
 * statement's `position` is `POSITION_OF_ROW`, unless the lock that orders the events was taken before.
 */
export function logSql(source: string, names: string, position: string = POSITION): string {
  return `insert into event_log (position, ${names}) select ${position}, ${names} from ${source}`
}
