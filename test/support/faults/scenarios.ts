import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { GraphMode } from './graph.ts'
import type { Lab } from './lab.ts'

/** A short targeted piece of trouble, healed at its end; the checker says what came of it. */
export type Scenario = (lab: Lab) => Promise<void>

/** Every kind of delivery, many at once. */
export const ordinary: Scenario = async ({ meta }) => {
  await meta.deliver(120)
}

/** PostgreSQL is away until a door has answered 20 deliveries, or has had 20 s for it. */
export const storeAway: Scenario = async ({ meta, proxies }) => {
  const answers = () => Object.values(meta.log.figures.answers).reduce((sum, n) => sum + n, 0)
  const before = answers()
  await proxies.postgres.set('refuse')
  const delivered = meta.deliver(40)
  for (let tries = 200; answers() < before + 20 && tries > 0; tries -= 1) await sleep(100)
  await proxies.postgres.set('pass')
  await delivered
}

/** Two messages of each customer are routed at the same moment: both batches are held up before they write. */
export const atTheSameMoment: Scenario = async (lab) => {
  await whileWritesWait(lab, async () => {
    for (let i = 0; i < 12; i += 1) await lab.meta.deliver(1)
  })
}

/** A worker dies between reading and writing. */
export const workerDies: Scenario = async (lab) => {
  await whileWritesWait(lab, async () => {
    for (let i = 0; i < 4; i += 1) await lab.meta.deliver(1)
    await sleep(500)
    for (const worker of lab.workers) await worker.end('SIGKILL')
  })
  for (const worker of lab.workers) await worker.start()
}

/** PostgreSQL crashes as soon as a delivery was answered, while nothing else makes it write to the disk. */
export const storeCrashes: Scenario = async ({ meta, postgres, workers }) => {
  for (const worker of workers) await worker.end('SIGKILL')
  for (let i = 0; i < 6; i += 1) {
    await meta.deliver(1)
    await postgres.crash()
  }
  for (const worker of workers) await worker.start()
}

/** All jobs are lost. */
export const queueLost: Scenario = async (lab) => {
  for (const worker of lab.workers) await worker.end('SIGKILL')
  await lab.meta.deliver(10)
  await sleep(400)
  await lab.db.$client.query(`delete from bullmq.job where queue = 'deliveries'`)
  for (const worker of lab.workers) await worker.start()
}

/** The answers to some sends are lost on their way. */
export const answersLost: Scenario = async ({ meta, graph }) => {
  const modes: GraphMode[] = ['reset', 'junk', 'reset']
  graph.script.push(...modes)
  await meta.deliver(30)
}

/** Reads go on; whoever writes messages waits until `work` is done and a little longer. */
async function whileWritesWait({ databaseUrl }: Lab, work: () => Promise<void>): Promise<void> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  try {
    await client.query('begin')
    await client.query('lock table messages in share row exclusive mode')
    await work()
    await sleep(700)
    await client.query('rollback')
  } finally {
    await client.end()
  }
}
