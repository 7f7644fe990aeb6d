import { recordEvents } from '../../../../src/audit/record-events.ts'
import { inTransaction } from '../../../../src/db/transaction.ts'
import { createLogger } from '../../../../src/logger.ts'
import { openEngine } from '../../../../src/queue/connection.ts'
import { createProducer } from '../../../../src/queue/producer.ts'
import { eventually, PATIENCE_MS } from '../../patience.ts'
import { drain } from '../lab/drain.ts'
import { checkReader, createEventReader, loggedIds } from '../lab/event-reader.ts'
import type { Lab } from '../lab/lab.ts'
import { HOLD } from '../lab/orgs.ts'
import type { Scenario } from './scenarios.ts'

const DELIVERIES = 20

/**
 * A transaction logs an event and stays open, while the events of others are committed and a reader follows the log to its
 * end; then it commits, and the reader goes on.
 */
export const lateCommit: Scenario = async (lab, report) => {
  const reader = createEventReader(lab, HOLD.id)
  await inTransaction(lab.db, async (tx) => {
    await recordEvents(tx, [{ orgId: HOLD.id, kind: 'contact.updated', actor: 'lab', reason: 'late' }])
    await lab.meta.deliver(DELIVERIES)
    await drain(lab, { withinMs: PATIENCE_MS, skipWaits: false })
    await reader.toEnd()
  })
  await checkReader(lab, reader, report)
}

/** The task that drops old partitions runs when the log has events of yesterday. */
export const yesterdaysEvents: Scenario = async (lab, report) => {
  await lab.meta.deliver(DELIVERIES)
  await drain(lab, { withinMs: PATIENCE_MS, skipWaits: false })
  await lab.db.$client.query(`update event_log set at = at - interval '1 day'`)
  const { ids } = await loggedIds(lab, HOLD.id)
  await runTask(lab, 'keep-event-log')
  const kept = new Set((await loggedIds(lab, HOLD.id)).ids)
  for (const id of ids) if (!kept.has(id)) report.add('logIsKept', id)
}

async function runTask({ databaseUrl }: Lab, name: string): Promise<void> {
  const engine = openEngine({ redis: undefined, databaseUrl })
  const producer = createProducer({ engine, log: createLogger({ logLevel: 'silent' }) })
  try {
    const queue = await eventually(() => producer.queue('maintenance') ?? false)
    const { id } = await queue.add(name, {}, { removeOnComplete: { count: 100 } })
    await eventually(async () => (await (await queue.getJob(id!))?.getState()) === 'completed')
  } finally {
    await producer.close(1_000)
  }
}
