import { setTimeout as sleep } from 'node:timers/promises'
import { learnSpelling } from '../../../../src/identity/learn-spelling.ts'
import { acceptsBut, replies, resets } from '../../graph-server.ts'
import { eventually } from '../../patience.ts'
import type { Report } from '../checks/report.ts'
import type { Lab } from '../lab/lab.ts'
import { whileLocked } from '../lab/lock.ts'
import { ORGS } from '../lab/orgs.ts'

/**
 * Short targeted trouble, healed at its end; the checks tell what came of it. What only the scenario itself can see, it
 * notes in the report.
 */
export type Scenario = (lab: Lab, report: Report) => Promise<void>

/** Every kind of delivery, many at once. */
export const ordinaryLoad: Scenario = async ({ meta }) => {
  await meta.deliver(120)
}

/** PostgreSQL is unreachable until the receivers have answered 20 deliveries. */
export const databaseUnreachable: Scenario = async ({ meta, proxies }) => {
  const answers = () => Object.values(meta.log.figures.answers).reduce((sum, n) => sum + n, 0)
  const before = answers()
  await proxies.postgres.set('refuse')
  const delivered = meta.deliver(40)
  await eventually(() => answers() >= before + 20)
  await proxies.postgres.set('pass')
  await delivered
}

/**
 * Two messages of each customer are routed at the same moment: both batches are held up before they write. The customers
 * have no new names, whose own locks would let one batch wait for the other.
 */
export const sameMoment: Scenario = async (lab) => {
  for (const { id } of ORGS) {
    for (const { waId } of lab.population.regulars) await learnSpelling(lab.db, id, `+${waId}`, waId)
  }
  await whileWritesWait(lab, async () => {
    for (let i = 0; i < 12; i += 1) await lab.meta.deliver(1)
  })
}

/** A worker dies between reading and writing. */
export const workerDies: Scenario = async (lab) => {
  await whileWritesWait(lab, async () => {
    for (let i = 0; i < 4; i += 1) await lab.meta.deliver(1)
    await eventually(async () => (await waitingForLocks(lab)) > 0)
    await killWorkers(lab)
  })
  await startWorkers(lab)
}

/** PostgreSQL crashes as soon as a delivery was answered, while nothing else makes it write to the disk. */
export const databaseCrashes: Scenario = async (lab) => {
  await killWorkers(lab)
  for (let i = 0; i < 6; i += 1) {
    await lab.meta.deliver(1)
    await lab.postgres.crash()
  }
  await startWorkers(lab)
}

/** All jobs are lost after they were enqueued. */
export const jobsLost: Scenario = async (lab) => {
  await killWorkers(lab)
  await lab.meta.deliver(10)
  // A job is enqueued within 300 ms or not at all.
  await sleep(400)
  await lab.db.$client.query(`delete from bullmq.job where queue = 'deliveries'`)
  await startWorkers(lab)
}

/** The Graph API accepts some sends, and its answers are lost on their way. */
export const answersLost: Scenario = async ({ meta, graph }) => {
  graph.script.push(acceptsBut(resets), acceptsBut(replies(502, '<html>')), acceptsBut(resets))
  await meta.deliver(30)
}

export async function killWorkers({ workers }: Lab): Promise<void> {
  for (const worker of workers) await worker.end('SIGKILL')
}

export async function startWorkers({ workers }: Lab): Promise<void> {
  for (const worker of workers) await worker.start()
}

/** Reads go on; statements that write messages wait until `work` is done and a moment longer. */
export async function whileWritesWait(lab: Lab, work: () => Promise<void>): Promise<void> {
  await whileLocked(lab, 'lock table messages in share row exclusive mode', async () => {
    await work()
    // Every batch gets as far as it can.
    await sleep(700)
  })
}

async function waitingForLocks({ db }: Lab): Promise<number> {
  const { rows } = await db.$client.query(
    `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  )
  return rows.length
}
