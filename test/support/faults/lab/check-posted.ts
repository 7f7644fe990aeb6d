import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../checks/report.ts'
import type { LabEndpoint } from './endpoints.ts'
import type { Lab } from './lab.ts'

/** How many events endpoints took, and how many of these again. */
export type PostedFigures = { events: number; again: number }

/**
 * Waits until each endpoint has got what is in the log, and compares: all is there, the events of a customer in their
 * order, and nothing else. Call it when the receivers take everything and nothing happens any more.
 */
export async function checkPosted(lab: Lab, report: Report, withinMs: number): Promise<PostedFigures> {
  const figures = { events: 0, again: 0 }
  for (const endpoint of lab.endpoints) {
    await waitUntilPosted(lab, endpoint, withinMs)
    const { taken } = endpoint.receiver
    const events = new Set(taken)
    figures.events += events.size
    figures.again += taken.length - events.size
    compare(endpoint, [...events], await readLog(lab, endpoint), report)
  }
  return figures
}

type Logged = { id: string; customer: string | null }

async function readLog({ db }: Lab, { orgId, position }: LabEndpoint): Promise<Logged[]> {
  const { rows } = await db.$client.query<Logged>(
    `select 'evt_' || seq as id, customer_id as customer from event_log l where org_id = $1 and l.position >= $2
     order by l.position, seq`,
    [orgId, position],
  )
  return rows
}

async function waitUntilPosted(lab: Lab, endpoint: LabEndpoint, withinMs: number): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(200)) {
    const taken = new Set(endpoint.receiver.taken)
    if ((await readLog(lab, endpoint)).every(({ id }) => taken.has(id))) return
    await skipWaits(lab)
  }
}

/** Lets the time pass until what failed is tried again. The leases of workers stay as they are. */
async function skipWaits({ db }: Lab): Promise<void> {
  await db.$client.query(
    'update webhook_lanes set due_at = now() where held_at is null and lease_id is null and due_at > now()',
  )
  await db.$client.query('update webhook_endpoints set paused_until = null where paused_until is not null')
}

/** `got`: the events in the order in which each was taken for the first time. */
function compare({ orgId, receiver }: LabEndpoint, got: string[], log: Logged[], report: Report): void {
  const taken = new Set(got)
  const customers = new Map(log.map(({ id, customer }) => [id, customer]))
  for (const { id } of log) if (!taken.has(id)) report.add('postedIsComplete', `${orgId} ${id}`)
  for (const id of got) if (!customers.has(id)) report.add('postedWasLogged', `${orgId} ${id}`)
  for (const reason of receiver.refused) report.add('postedIsSigned', `${orgId} ${reason}`)
  const logged = byCustomer(
    log.map(({ id }) => id).filter((id) => taken.has(id)),
    customers,
  )
  for (const [customer, ids] of byCustomer(got, customers))
    if (ids.join() !== logged.get(customer)?.join()) report.add('postedInOrder', `${orgId} ${customer}`)
}

/** The events of each customer, in the order given; those of no customer have none. */
function byCustomer(ids: string[], customers: Map<string, string | null>): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const id of ids) {
    const customer = customers.get(id)
    if (!customer) continue
    const those = found.get(customer) ?? []
    those.push(id)
    found.set(customer, those)
  }
  return found
}
