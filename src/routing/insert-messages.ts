import { bigint, columns, json, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { logSql } from '../event-log/log-events.ts'
import { since } from '../rules/room.ts'
import { followWaitsSql } from '../rules/waiting.ts'
import { withoutPruning } from '../rules/without-pruning.ts'
import { GHOST_TYPES } from '../webhook/extract.ts'
import type { PlannedMessage, Unmasked } from './planned.ts'

const MESSAGES = columns<PlannedMessage>({
  org_id: text((m) => m.orgId),
  wamid: text((m) => m.message.wamid),
  waba_phone_id: text((m) => m.message.phoneId),
  customer_id: uuid((m) => m.customerId),
  chatroom_id: uuid((m) => m.roomId),
  direction: text((m) => m.message.direction),
  type: text((m) => m.message.type),
  sent_at: timestamptz((m) => m.message.sentAt),
  received_at: timestamptz((m) => m.message.receivedAt),
  seq: bigint((m) => m.message.seq),
  route: text((m) => m.route),
  reason: text((m) => m.reason),
  candidates: json((m) => JSON.stringify(m.candidates.map(candidate))),
  wa_id: text((m) => m.message.sender.waId),
  user_id: text((m) => m.message.sender.userId),
  payload: json((m) => m.message.payload),
  contact: json((m) => m.message.contact),
})

const TYPE = `case when direction = 'echo' then 'message.echo' when route = 'held' then 'message.held'
  else 'message.received' end`

/**
 * Inserts messages into the ledger. There is no `on conflict`: a wamid that another batch stored meanwhile fails this
 * batch, and its retry then sees that message. The same statement logs the events, lets the customers who wrote wait for an
 * answer, and those who got one from the Business App wait no more.
 */
export function insertMessages(messages: PlannedMessage[]): Statement<void> {
  return over(MESSAGES, messages, {
    name: 'insert-messages',
    text: `with stored as (
        insert into messages (${MESSAGES.names}) select ${MESSAGES.names} from ${MESSAGES.as('m')}
        returning org_id, wamid, customer_id, direction, route, type, chatroom_id, sent_at, received_at),
      ${followWaitsSql('stored', '$18::timestamptz')}
      ${logSql(`(select org_id, ${TYPE} as type, customer_id, wamid from stored) as s`, 'org_id, type, customer_id, wamid')}`,
    values: [new Date(Math.min(...messages.map(({ message }) => message.sentAt.getTime())))],
    read: nothing,
  })
}

function candidate(room: PlannedMessage['candidates'][number]) {
  return { chatroom_id: room.id, contact_id: room.contactId, state: room.state, since: since(room) }
}

const CONTENTS = columns<Unmasked>({
  org_id: text((a) => a.orgId),
  wamid: text((a) => a.message.wamid),
  sent_at: timestamptz((a) => a.storedAt),
  type: text((a) => a.message.type),
  payload: json((a) => a.message.payload),
  contact: json((a) => a.message.contact),
})

/** Puts real content into the rows of ghosts, which were routed already. Real content is never replaced. */
export function completeGhosts(arrivals: Unmasked[]): Statement<void> {
  const times = arrivals.map(({ storedAt }) => storedAt.getTime())
  return over(CONTENTS, arrivals, {
    name: 'complete-ghosts',
    text: `with completed as (
        update messages m set type = u.type, payload = u.payload, contact = coalesce(u.contact, m.contact)
        from ${CONTENTS.as('u')}
        where m.org_id = u.org_id and m.wamid = u.wamid and ${withoutPruning('m.sent_at')} = u.sent_at
          and m.sent_at >= $7 and m.sent_at <= $8 and m.direction <> 'out'
          and m.type in (${GHOST_TYPES.map((type) => `'${type}'`).join(', ')})
        returning m.org_id, 'message.completed' as event, m.customer_id, m.wamid)
      ${logSql('completed as c(org_id, type, customer_id, wamid)', 'org_id, type, customer_id, wamid')}`,
    values: [new Date(Math.min(...times)), new Date(Math.max(...times))],
    read: nothing,
  })
}
