import type { Db } from '../db/client.ts'
import { allRows, run, type Statement } from '../db/statement.ts'
import { ALL_JOINS, EVENT_FIELDS, type EventRow } from './event-sql.ts'

/**
 * Completes the rows of a page that name a message which `eventJoins` did not find, with messages of all times. Nearly all
 * events are about messages of the days before, so most pages need no further statement.
 */
export async function addOlderMessages(db: Db, orgId: string, rows: EventRow[]): Promise<void> {
  const lacking = new Map(
    rows.filter(({ wamid, message }) => wamid !== null && message === null).map((row) => [keyOf(row), row]),
  )
  if (lacking.size === 0) return
  for (const row of await run(db, readAgain(orgId, [...lacking.values()]))) {
    Object.assign(lacking.get(keyOf(row)) ?? {}, row)
  }
}

const keyOf = ({ position, seq }: EventRow) => `${position} ${seq}`

function readAgain(orgId: string, rows: EventRow[]): Statement<EventRow[]> {
  const times = rows.map(({ at }) => at.getTime())
  return {
    name: 'read-events-again',
    text: `select ${EVENT_FIELDS} from unnest($2::bigint[], $3::bigint[]) u(position, seq)
      cross join lateral (
        select * from event_log l where l.org_id = $1 and l.position = u.position and l.seq = u.seq
          and l.at >= $4 and l.at <= $5 limit 1) w
      ${ALL_JOINS}`,
    values: [
      orgId,
      rows.map(({ position }) => position),
      rows.map(({ seq }) => seq),
      new Date(Math.min(...times)),
      new Date(Math.max(...times)),
    ],
    read: allRows<EventRow>,
  }
}
