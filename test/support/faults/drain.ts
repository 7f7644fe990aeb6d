import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from './lab.ts'

/** What still waits: rows that are not done, and jobs of the queues `deliveries` and `outbound`. */
export type Backlog = { inbox: number; outbox: number; jobs: number }

/**
 * Waits until nothing is left to route or send and both queues are empty, at most `withinMs`; gives what is left.
 * With `hurry`, leases and waiting times of what is stranded count as over, as if a minute had passed: only for
 * when all faults are healed.
 */
export async function drain(
  lab: Lab,
  { withinMs, hurry = false }: { withinMs: number; hurry?: boolean },
): Promise<Backlog> {
  const end = Date.now() + withinMs
  for (;;) {
    const backlog = await readBacklog(lab)
    const { inbox, outbox, jobs } = backlog
    if ((inbox === 0 && outbox === 0 && jobs === 0) || Date.now() > end) return backlog
    if (hurry && jobs === 0) await hurryUp(lab)
    await sleep(250)
  }
}

/**
 * Rows by count, those included whose number is provisioned by now; jobs as the product's own metrics tell them (-1 when no
 * process tells).
 */
export async function readBacklog({ db, opsUrls }: Lab): Promise<Backlog> {
  const { rows } = await db.$client.query<{ inbox: number; outbox: number }>(`
    select (select count(*) from inbox where state = 'new' or parked_for in (select kind || ':' || id from meta_objects))::int
        as inbox,
      (select count(*) from outbox where state in ('queued', 'sending'))::int as outbox`)
  return { inbox: rows[0]!.inbox, outbox: rows[0]!.outbox, jobs: await countJobs(opsUrls) }
}

const WAITING =
  /^usher_queue_jobs\{queue="(?:deliveries|outbound)",state="(?:waiting|active|delayed)"\} (\d+)/gm

async function countJobs(opsUrls: string[]): Promise<number> {
  for (const url of opsUrls) {
    const text = await readMetrics(url)
    const counts = [...text.matchAll(WAITING)].map((match) => Number(match[1]))
    if (counts.length === 6) return counts.reduce((sum, n) => sum + n, 0)
  }
  return -1
}

/** The metrics of one process; '' when it does not answer. */
export async function readMetrics(opsUrl: string): Promise<string> {
  const response = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(3_000) }).catch(
    () => undefined,
  )
  return response?.ok ? response.text() : ''
}

/** A send is stranded when its request would have timed out (10 s) and nobody settled it. */
async function hurryUp({ db }: Lab): Promise<void> {
  await db.$client.query(`update inbox set due_at = now() where state = 'new' and due_at > now()`)
  await db.$client.query(
    `update outbox set due_at = now() - interval '6 seconds' where due_at > now() and
      (state = 'queued' or state = 'sending' and claimed_at < now() - interval '12 seconds')`,
  )
}
