import { setTimeout as sleep } from 'node:timers/promises'
import { readMetrics } from './drain.ts'
import type { Lab } from './lab.ts'

/**
 * Time in ms from now until every door has answered 200 to a delivery posted after it, and a message has been routed.
 * Infinity when that takes longer than `withinMs`.
 */
export async function timeToRecover(lab: Lab, withinMs: number): Promise<number> {
  const [since, wallClock] = [performance.now(), new Date()]
  const doors = new Set<number>()
  const stop = lab.meta.onAcked(({ door, at }) => at >= since && doors.add(door))
  let routed = false
  try {
    for (const end = since + withinMs; performance.now() < end; await sleep(20)) {
      // A database that is not back yet, or a pool that has not noticed, is asked again.
      routed ||= await isRoutedSince(lab, wallClock).catch(() => false)
      if (routed && doors.size === lab.proxies.doors.length) return Math.round(performance.now() - since)
    }
    return Number.POSITIVE_INFINITY
  } finally {
    stop()
  }
}

async function isRoutedSince({ db }: Lab, since: Date): Promise<boolean> {
  const { rows } = await db.$client.query(
    `select from messages where direction = 'in' and lab_written_at > $1 limit 1`,
    [since],
  )
  return rows.length > 0
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
