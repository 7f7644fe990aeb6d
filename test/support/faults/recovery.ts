import { setTimeout as sleep } from 'node:timers/promises'
import type { LoadMessage } from './content.ts'
import { readMetrics } from './drain.ts'
import type { Lab } from './lab.ts'

/**
 * Time in ms from `since` (`performance.now()`) until every door has answered 200 to a delivery posted after it, and
 * a message that was not routed yet is. Infinity when that takes longer than `withinMs`.
 */
export async function timeToRecover(lab: Lab, since: number, withinMs: number): Promise<number> {
  const doors = new Set<number>()
  const later: LoadMessage[] = []
  const stop = lab.meta.onAcked(({ delivery, door, at }) => {
    if (at < since) return
    doors.add(door)
    later.push(...delivery.messages.map(({ message }) => message))
  })
  const isLate = ({ number }: LoadMessage) => number === lab.cast.lateNumber
  const watched = lab.meta.lately().filter((one) => !isLate(one))
  let before: Set<string> | undefined
  let routed = false
  try {
    for (const end = since + withinMs; performance.now() < end; await sleep(20)) {
      // A database that is not back yet, or a pool that has not noticed, is asked again.
      const found = await routedAmong(lab, [
        ...watched,
        ...later.filter((one) => !isLate(one)).slice(0, 200),
      ]).catch(() => undefined)
      before ??= found
      routed ||=
        found !== undefined && before !== undefined && [...found].some((wamid) => !before?.has(wamid))
      if (routed && doors.size === lab.proxies.doors.length) return Math.round(performance.now() - since)
    }
    return Number.POSITIVE_INFINITY
  } finally {
    stop()
  }
}

async function routedAmong({ db }: Lab, messages: LoadMessage[]): Promise<Set<string>> {
  const { rows } = await db.$client.query<{ wamid: string }>(
    `select m.wamid from unnest($1::text[], $2::text[]) as k(org, wamid)
     join messages m on m.org_id = k.org and m.wamid = k.wamid`,
    [messages.map((one) => one.number.orgId), messages.map((one) => one.wamid)],
  )
  return new Set(rows.map(({ wamid }) => wamid))
}

/** Waits until each worker process has routed something since now; gives the names of those that did not. */
export async function idleWorkers(lab: Lab, withinMs: number): Promise<string[]> {
  const urls = lab.opsUrls.slice(lab.receivers.length)
  const before = await Promise.all(urls.map(countRouted))
  let idle = lab.workers.map((worker) => worker.name)
  for (const end = Date.now() + withinMs; idle.length > 0 && Date.now() < end; await sleep(200)) {
    const now = await Promise.all(urls.map(countRouted))
    idle = lab.workers.flatMap(({ name }, i) => (now[i]! > before[i]! ? [] : [name]))
  }
  return idle
}

async function countRouted(opsUrl: string): Promise<number> {
  const text = await readMetrics(opsUrl)
  const counts = [...text.matchAll(/^usher_messages_routed_total\{[^}]*\} (\d+)/gm)]
  return counts.reduce((sum, match) => sum + Number(match[1]), 0)
}
