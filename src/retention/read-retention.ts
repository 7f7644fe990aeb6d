import type { Db } from '../db/client.ts'
import { allRows, run } from '../db/statement.ts'

/**
 * What an org keeps for how long, and the times before which messages and events are too old: the starts of UTC days, by the
 * database's clock. Null: messages are kept for ever.
 */
export type OrgRetention = {
  orgId: string
  retentionDays: number | null
  messagesBefore: Date | null
  eventDays: number
  eventsBefore: Date
}

/** SQL: the start of the UTC day so many days ago. */
const daysAgo = (days: string) =>
  `date_trunc('day', now() at time zone 'UTC' - make_interval(days => ${days})) at time zone 'UTC'`

/** The retention of all orgs; no org keeps events for longer than the installation, which keeps them for so many days. */
export function readRetention(db: Db, eventRetentionDays: number): Promise<OrgRetention[]> {
  return run(db, {
    name: 'read-retention',
    text: `select id as "orgId", retention_days as "retentionDays", ${daysAgo('retention_days')} as "messagesBefore",
        days as "eventDays", ${daysAgo('days')} as "eventsBefore"
      from orgs cross join lateral (select least(event_retention_days, $1::int) as days) k order by id`,
    values: [eventRetentionDays],
    read: allRows<OrgRetention>,
  })
}

/** For how many days some org keeps events: partitions of older days are nobody's. */
export function longestEventDays(orgs: OrgRetention[], eventRetentionDays: number): number {
  return orgs.length === 0 ? eventRetentionDays : Math.max(...orgs.map(({ eventDays }) => eventDays))
}

/** The time before which no org keeps messages; undefined when some org keeps them for ever. */
export function oldestKept(orgs: OrgRetention[]): Date | undefined {
  const times = orgs.map(({ messagesBefore }) => messagesBefore?.getTime() ?? Number.NEGATIVE_INFINITY)
  const oldest = Math.min(...times)
  return Number.isFinite(oldest) ? new Date(oldest) : undefined
}
