import { setTimeout as sleep } from 'node:timers/promises'
import { readMetrics } from './drain.ts'
import type { Lab } from './lab.ts'

/**
 * Time in ms from `since` (`performance.now()`) until every door has answered 200 to a delivery posted after it, and
 * a message of such a delivery is routed. Infinity when that takes longer than `withinMs`.
 */
export async function timeToRecover(lab: Lab, since: number, withinMs: number): Promise<number> {
  const doors = new Set<number>()
  const wamids: { org: string; wamid: string }[] = []
  const stop = lab.meta.onAcked(({ delivery, door, at }) => {
    if (at < since) return
    doors.add(door)
    for (const { message } of delivery.messages)
      if (message.number !== lab.cast.lateNumber)
        wamids.push({ org: message.number.orgId, wamid: message.wamid })
  })
  let routed = false
  try {
    for (const end = since + withinMs; performance.now() < end; await sleep(20)) {
      routed ||= wamids.length > 0 && (await isRouted(lab, wamids.slice(0, 200)).catch(() => false))
      if (routed && doors.size === lab.proxies.doors.length) return Math.round(performance.now() - since)
    }
    return Number.POSITIVE_INFINITY
  } finally {
    stop()
  }
}

async function isRouted(lab: Lab, keys: { org: string; wamid: string }[]): Promise<boolean> {
  const { rows } = await lab.db.$client.query(
    `select 1 from unnest($1::text[], $2::text[]) as k(org, wamid)
     join messages m on m.org_id = k.org and m.wamid = k.wamid limit 1`,
    [keys.map((key) => key.org), keys.map((key) => key.wamid)],
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
