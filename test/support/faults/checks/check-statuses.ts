import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

/** A status of a message of ours, reported by webhook. `acked`: its delivery was answered with 200. */
export type PostedStatus = {
  callback: string
  wamid: string
  status: 'sent' | 'delivered' | 'read'
  acked: boolean
}

const RANKS = ['sent', 'delivered', 'read']

/** Each message of ours has the furthest status that was acknowledged, in whatever order the statuses came. */
export async function checkStatuses(
  { db }: Pick<Evidence, 'db'>,
  statuses: readonly PostedStatus[],
  report: Report,
): Promise<void> {
  const furthest = new Map<string, number>()
  for (const { callback, status, acked } of statuses)
    if (acked) furthest.set(callback, Math.max(furthest.get(callback) ?? -1, RANKS.indexOf(status)))
  const { rows } = await db.$client.query<{ id: string; status: string | null }>(`
    select o.id, m.status from outbox o left join messages m on m.org_id = o.org_id and m.wamid = o.wamid`)
  const stored = new Map(rows.map(({ id, status }) => [id, status]))
  for (const [callback, rank] of furthest) {
    const status = stored.get(callback)
    if (status !== RANKS[rank])
      report.add('statusesGoForward', `${callback} is ${status} instead of ${RANKS[rank]}`)
  }
}
