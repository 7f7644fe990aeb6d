import type { Lab } from './lab.ts'

/** What still waits: rows that are not done, and jobs of the queues `deliveries` and `outbound`. */
export type Backlog = { inbox: number; outbox: number; jobs: number }

/** Counts a parked delivery only when its number is provisioned by now. */
const WAITING_ROWS = `
  select (select count(*) from inbox
      where state = 'new' or parked_for in (select kind || ':' || id from meta_objects))::int as inbox,
    (select count(*) from outbox where state in ('queued', 'sending'))::int as outbox`

/** What waits now; jobs as Usher's own metrics count them, -1 when no process gives its metrics. */
export async function readBacklog({ db, opsUrls }: Lab): Promise<Backlog> {
  const { rows } = await db.$client.query<{ inbox: number; outbox: number }>(WAITING_ROWS)
  return { inbox: rows[0]!.inbox, outbox: rows[0]!.outbox, jobs: await countJobs(opsUrls) }
}

export function isEmpty({ inbox, outbox, jobs }: Backlog): boolean {
  return inbox === 0 && outbox === 0 && jobs === 0
}

const WAITING_JOBS =
  /^usher_queue_jobs\{queue="(?:deliveries|outbound)",state="(?:waiting|active|delayed)"\} (\d+)/gm
/** Two queues, three states. */
const COUNTERS = 6

async function countJobs(opsUrls: string[]): Promise<number> {
  for (const url of opsUrls) {
    const text = await readMetrics(url)
    const counts = [...text.matchAll(WAITING_JOBS)].map((match) => Number(match[1]))
    if (counts.length === COUNTERS) return counts.reduce((sum, n) => sum + n, 0)
  }
  return -1
}

/** The metrics of one process; '' when it does not answer within 3 s, as a frozen one. */
export async function readMetrics(opsUrl: string): Promise<string> {
  try {
    const response = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(3_000) })
    return response.ok ? await response.text() : ''
  } catch {
    return ''
  }
}

/**
 * Makes stranded rows due at once, as if a minute had passed: only for when all faults are healed. A send is stranded
 * when its request would have timed out (10 s) and its outcome was never recorded. A delivery that is being routed is
 * locked, and keeps its time: a lease that ends would count as the death of its worker. A pair that has used up its rate
 * may send again.
 */
export async function skipWaitingTimes({ db }: Lab): Promise<void> {
  await db.$client.query(
    `update inbox set due_at = now() where id in (
      select id from inbox where state = 'new' and due_at > now() for update skip locked)`,
  )
  await db.$client.query(
    `update outbox set due_at = now() - interval '6 seconds' where due_at > now() and
      (state = 'queued' or state = 'sending' and claimed_at < now() - interval '12 seconds')`,
  )
  await db.$client.query(FREE_PAIRS)
}

/** Pairs that have used up the rate of a minute are due; the trigger of the outbox makes them so. */
const FREE_PAIRS = `
  with pair as materialized (select * from outbox_pairs where due_at > now() for update skip locked)
  update outbox o set claimed_at = o.claimed_at - interval '1 minute' from pair p
  where o.org_id = p.org_id and o.customer_id = p.customer_id and o.waba_phone_id = p.waba_phone_id
    and o.claimed_at > now() - interval '1 minute'`
