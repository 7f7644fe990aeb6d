import { EVENT_TYPES } from '../../../../src/event-log/types.ts'
import { statusRankSql } from '../../../../src/rules/message-status.ts'
import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'
import type { Rule } from './rules.ts'

/** SQL: the messages `m` that fit `which` and have not exactly one event of these types. */
const withoutOne = (types: string[], which: string) => `
  select concat_ws(' ', '${types[0]}', m.org_id, m.wamid, coalesce(e.events, 0)) as found from messages m
  left join (
    select org_id, wamid, count(*) as events from event_log
    where type in (${types.map((type) => `'${type}'`).join(', ')}) group by 1, 2) e
    on e.org_id = m.org_id and e.wamid = m.wamid
  where ${which} and e.events is distinct from 1 limit 1000`

/** SQL: the statuses in the log, each with its rank, and that of the one before it of the same message. */
const STATUSES = `
  select org_id, wamid, rank, lag(rank) over line as before, last_value(rank) over all_of_it as last
  from (
    select *, ${statusRankSql(`data ->> 'status'`)} as rank from event_log where type = 'message.status') s
  where rank is not null
  window line as (partition by org_id, wamid order by position, seq),
    all_of_it as (line rows between unbounded preceding and unbounded following)`

/** Statements that find the cases in which a rule about the event log does not hold, each as the column `found`. */
const SEARCHES: [Rule, string][] = [
  [
    'logIsComplete',
    withoutOne(['message.received', 'message.held', 'message.echo'], `m.direction in ('in', 'echo')`),
  ],
  ['logIsComplete', withoutOne(['message.sent'], `m.outbox_id is not null and m.wamid not like 'outbox:%'`)],
  [
    'logIsComplete',
    `select concat_ws(' ', e.kind, e.id) as found from events e
     left join event_log l on l.org_id = e.org_id and l.audit_id = e.id
     where e.kind = any('{${EVENT_TYPES.join(',')}}') and l.seq is null limit 1000`,
  ],
  [
    'logIsComplete',
    `select distinct concat_ws(' ', 'status of', m.org_id, m.wamid) as found from messages m
     join (${STATUSES}) s on s.org_id = m.org_id and s.wamid = m.wamid
     where s.last is distinct from ${statusRankSql('m.status')} limit 1000`,
  ],
  [
    'logIsInOrder',
    `select concat_ws(' ', 'statuses of', org_id, wamid) as found from (${STATUSES}) s where before >= rank limit 1000`,
  ],
]

/**
 * The event log has one event for each message and for each change that it shows, and the statuses of a message in the
 * order in which they moved.
 */
export async function checkEventLog({ db }: Pick<Evidence, 'db'>, report: Report): Promise<void> {
  for (const [rule, text] of SEARCHES) {
    const { rows } = await db.$client.query<{ found: string }>(text)
    for (const { found } of rows) report.add(rule, found)
  }
}
