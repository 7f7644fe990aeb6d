import { setTimeout as sleep } from 'node:timers/promises'
import { readMetrics } from '../lab/backlog.ts'
import type { Lab } from '../lab/lab.ts'

/**
 * The time in ms from now until every receiver has answered a delivery posted after it with 200, and a message has
 * been routed. Infinity when that takes longer than `withinMs`.
 */
export async function timeToRecover(lab: Lab, withinMs: number): Promise<number> {
  const [since, wallClock] = [performance.now(), new Date()]
  const answering = new Set<number>()
  const stop = lab.meta.onAcked(({ receiver, at }) => at >= since && answering.add(receiver))
  let routed = false
  try {
    for (const end = since + withinMs; performance.now() < end; await sleep(20)) {
      // A database that is not back yet, or a pool that has not noticed, is asked again.
      routed ||= await isRoutedSince(lab, wallClock).catch(() => false)
      if (routed && answering.size === lab.receivers.length) return Math.round(performance.now() - since)
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

/** Waits until each worker process has routed a message since now; gives the names of those that did not in time. */
export async function idleWorkers(lab: Lab, withinMs: number): Promise<string[]> {
  const urls = lab.opsUrls.slice(lab.receivers.length)
  const before = await Promise.all(urls.map(countRouted))
  let idle = lab.workers.map((worker) => worker.name)
  for (
    const end = performance.now() + withinMs;
    idle.length > 0 && performance.now() < end;
    await sleep(200)
  ) {
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
