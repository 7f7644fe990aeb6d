import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'
import type { Rule } from './rules.ts'

/** Statements that find what happened by another clock than the database's, each as the column `found`. */
const SEARCHES: [Rule, string][] = [
  [
    'expiresInTime',
    `select 'contact ' || c.id as found from contacts c join orgs o on o.id = c.org_id
     where c.expired_at is not null and c.created_at + make_interval(days => o.expiry_days) > now()`,
  ],
  [
    'timeIsTheDatabases',
    `select what || ' ' || id as found from (
       select 'contact' as what, id, greatest(created_at, expired_at) as at from contacts
       union all
       select 'chatroom', id, greatest(created_at, activated_at, deactivated_at, expired_at) from chatrooms
       union all
       select 'event', id, created_at from events) changes
     where at > now() + interval '5 seconds'`,
  ],
]

/** Checks that nothing expired too early, and that no change has a time that is still to come. */
export async function checkTimes({ db }: Pick<Evidence, 'db'>, report: Report): Promise<void> {
  for (const [rule, statement] of SEARCHES) {
    const { rows } = await db.$client.query<{ found: string }>(`${statement} limit 1000`)
    for (const { found } of rows) report.add(rule, found)
  }
}
