import { setTimeout as sleep } from 'node:timers/promises'
import { HORIZON } from '../../../../src/event-log/position.ts'
import { eventually } from '../../patience.ts'
import type { Report } from '../checks/report.ts'
import { readApi } from './call-api.ts'
import type { Lab } from './lab.ts'

/** A CRM that follows the events of an org by the API; `ids`: of the events that it got, in their order. */
export type EventReader = { orgId: string; ids: string[]; toEnd(): Promise<void> }

type Page = { events?: { id: string }[]; next: string; has_more: boolean }

/** A reader at the start of the log. */
export function createEventReader(lab: Lab, orgId: string): EventReader {
  const ids: string[] = []
  let after = ''
  return {
    orgId,
    ids,
    /**
     * Reads until nothing is left.
     * @throws Error when a page was not answered; the next call asks for it again
     */
    async toEnd(): Promise<void> {
      for (let more = true; more; ) {
        const page = await readApi<Page>(lab, { orgId, user: 'ann', path: `/events?limit=50${after}` })
        if (!page.events) throw new Error('the page was refused')
        ids.push(...page.events.map(({ id }) => id))
        after = `&after=${page.next}`
        more = page.has_more
      }
    },
  }
}

/** The ids of an org's events in the order of the log, and the position of the last one. */
export async function loggedIds({ db }: Lab, orgId: string): Promise<{ ids: string[]; last: string }> {
  const { rows } = await db.$client.query<{ id: string; position: string }>(
    `select 'evt_' || seq as id, position::text from event_log where org_id = $1 order by event_log.position, seq`,
    [orgId],
  )
  return { ids: rows.map(({ id }) => id), last: rows.at(-1)?.position ?? '0' }
}

/** Lets a reader read on to the end, and compares what it got with the log. */
export async function checkReader(lab: Lab, reader: EventReader, report: Report): Promise<void> {
  const { orgId } = reader
  const { ids, last } = await loggedIds(lab, orgId)
  await eventually(async () => {
    const { rows } = await lab.db.$client.query(`select ${HORIZON} > $1 as "isReadable"`, [last])
    return rows[0].isReadable
  })
  await eventually(() => reader.toEnd())
  const read = new Set(reader.ids)
  const logged = new Set((await loggedIds(lab, orgId)).ids)
  for (const id of ids) if (!read.has(id)) report.add('logSkipsNothing', `${orgId} ${id}`)
  for (const id of read) if (!logged.has(id)) report.add('shownIsKept', `${orgId} ${id}`)
  const known = new Set(ids)
  const order = reader.ids.filter((id) => known.has(id))
  if (order.some((id, i) => id !== ids[i])) report.add('logIsInOrder', orgId)
}

const PAUSE_MS = 200

/** Lets a reader follow each of these orgs, whatever happens; `stop` gives the readers. */
export function followEvents(lab: Lab, orgIds: string[]): { stop(): Promise<EventReader[]> } {
  let stopped = false
  const follow = async (orgId: string) => {
    const reader = createEventReader(lab, orgId)
    for (; !stopped; await sleep(PAUSE_MS)) await reader.toEnd().catch(() => undefined)
    return reader
  }
  const readers = orgIds.map(follow)
  return {
    stop() {
      stopped = true
      return Promise.all(readers)
    },
  }
}
