import { recordEvents } from '../../../../src/audit/record-events.ts'
import { inTransaction } from '../../../../src/db/transaction.ts'
import { HORIZON } from '../../../../src/event-log/position.ts'
import { createLogger } from '../../../../src/logger.ts'
import { openEngine } from '../../../../src/queue/connection.ts'
import { createProducer } from '../../../../src/queue/producer.ts'
import { eventually, PATIENCE_MS } from '../../patience.ts'
import { readApi } from '../lab/call-api.ts'
import { drain } from '../lab/drain.ts'
import type { Lab } from '../lab/lab.ts'
import { HOLD } from '../lab/orgs.ts'
import type { Scenario } from './scenarios.ts'

const DELIVERIES = 20

/**
 * A transaction logs an event and stays open, while the events of others are committed and a reader follows the log to its
 * end; then it commits, and the reader goes on.
 */
export const lateCommit: Scenario = async (lab, report) => {
  const reader = createReader(lab)
  await inTransaction(lab.db, async (tx) => {
    await recordEvents(tx, [{ orgId: HOLD.id, kind: 'contact.updated', actor: 'lab', reason: 'late' }])
    await lab.meta.deliver(DELIVERIES)
    await drain(lab, { withinMs: PATIENCE_MS, skipWaits: false })
    await reader.toEnd()
  })
  const written = await loggedIds(lab)
  await eventually(() => isReadable(lab, written.last))
  await reader.toEnd()
  const read = new Set(reader.ids)
  for (const id of written.ids) if (!read.has(id)) report.add('logSkipsNothing', id)
  const order = reader.ids.filter((id) => written.ids.includes(id))
  if (order.some((id, i) => id !== written.ids[i])) report.add('logIsInOrder', `of ${HOLD.id}`)
}

/** Reads the events of an org by the API, as a CRM does. */
function createReader(lab: Lab) {
  const ids: string[] = []
  let after = ''
  return {
    ids,
    async toEnd(): Promise<void> {
      for (let more = true; more; ) {
        const path = `/events?limit=50${after}`
        const page = await readApi<Page>(lab, { orgId: HOLD.id, user: 'ann', path })
        ids.push(...page.events.map(({ id }) => id))
        after = `&after=${page.next}`
        more = page.has_more
      }
    },
  }
}

type Page = { events: { id: string }[]; next: string; has_more: boolean }

async function loggedIds({ db }: Lab): Promise<{ ids: string[]; last: string }> {
  const { rows } = await db.$client.query<{ id: string; position: string }>(
    `select 'evt_' || seq as id, position::text from event_log where org_id = $1 order by event_log.position, seq`,
    [HOLD.id],
  )
  return { ids: rows.map(({ id }) => id), last: rows.at(-1)?.position ?? '0' }
}

async function isReadable({ db }: Lab, position: string): Promise<boolean> {
  const { rows } = await db.$client.query(`select ${HORIZON} > $1 as "isReadable"`, [position])
  return rows[0].isReadable
}

/** The task that drops old partitions runs when the log has events of yesterday. */
export const yesterdaysEvents: Scenario = async (lab, report) => {
  await lab.meta.deliver(DELIVERIES)
  await drain(lab, { withinMs: PATIENCE_MS, skipWaits: false })
  await lab.db.$client.query(`update event_log set at = at - interval '1 day'`)
  const { ids } = await loggedIds(lab)
  await runTask(lab, 'keep-event-log')
  const kept = new Set((await loggedIds(lab)).ids)
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
