import { withoutPruning } from './without-pruning.ts'

/** Types of messages that ask for no answer: the customer reacted to, edited or deleted a message. */
export const ASKS_NOTHING = ['reaction', 'edit', 'revoke'] as const

const SILENT = ['system', ...ASKS_NOTHING].map((type) => `'${type}'`).join(', ')

/** SQL: whether the message `m` makes its customer wait for an answer, where its chatroom is active. */
const asks = (m: string) =>
  `${m}.direction = 'in' and ${m}.route in ('active', 'reactivated', 'created', 'held') and ${m}.type not in (${SILENT})`

/** A message that comes later than this after it was sent may have been answered before it came. */
const LATE = `interval '1 minute'`

/**
 * SQL: common table expressions that keep `waiting_chatrooms`, for messages that the same statement stores; the customers
 * are locked. `stored` has the columns of these messages. An echo is an answer: it ends the wait, unless the customer wrote
 * after it, whether in this batch or in one before. A message starts a wait, unless its answer is known already. A chatroom
 * that waits keeps its time. `since` is no later than any of these messages: partitions
 * of the ledger that are earlier, or still to come, are left out.
 */
export function followWaitsSql(stored: string, since: string): string {
  const times = `m.sent_at >= ${since} and m.sent_at < now() + interval '1 day'`
  return `answer as materialized (
        select org_id, chatroom_id, max(sent_at) as at from ${stored}
        where direction = 'echo' and chatroom_id is not null group by org_id, chatroom_id),
      ended_waits as (
        delete from waiting_chatrooms w using answer a
        where w.org_id = a.org_id and w.chatroom_id = a.chatroom_id and w.since <= a.at returning 1),
      asked as (
        select s.org_id, s.chatroom_id, s.sent_at from ${stored} s
        where s.chatroom_id is not null and ${asks('s')}
          and not exists (
            select from answer a where a.org_id = s.org_id and a.chatroom_id = s.chatroom_id and a.at >= s.sent_at)
          and (s.sent_at > s.received_at - ${LATE} or not exists (
            select from messages m where m.org_id = s.org_id and m.chatroom_id = s.chatroom_id
              and ${withoutPruning('m.sent_at')} >= s.sent_at and ${times} and m.direction <> 'in'))
        union all
        select a.org_id, a.chatroom_id, l.sent_at from answer a cross join lateral (
          select m.sent_at from messages m where m.org_id = a.org_id and m.chatroom_id = a.chatroom_id
            and ${withoutPruning('m.sent_at')} > a.at and ${times} and ${asks('m')} order by m.sent_at limit 1) l),
      started_waits as (
        insert into waiting_chatrooms (org_id, chatroom_id, since)
        select org_id, chatroom_id, min(sent_at) from asked where (select count(*) from ended_waits) >= 0
        group by org_id, chatroom_id
        on conflict do nothing)`
}

/**
 * SQL: the customers of active chatrooms wait since the earliest of these messages, which were held until now; `attached`
 * has org_id, chatroom_id and sent_at.
 */
export function startWaitsSql(attached: string): string {
  return `insert into waiting_chatrooms (org_id, chatroom_id, since)
      select a.org_id, a.chatroom_id, min(a.sent_at) from ${attached} a
      join chatrooms r on r.org_id = a.org_id and r.id = a.chatroom_id and r.state = 'active'
      group by a.org_id, a.chatroom_id
      on conflict do nothing`
}
