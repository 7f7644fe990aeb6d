import type { RecordingGraph } from '../../graph-server.ts'
import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

type OutboxRow = {
  id: string
  /** The pair and the kind of the message: what must keep its order. */
  line: string
  position: number
  state: string
}

/**
 * What holds of sends while no process freezes, no worker dies, no customer is merged, and Meta accepts every token that
 * was provisioned: the order of each pair, only what left is unknown, and no number is stopped.
 */
export async function checkLeaving(
  { db, graph }: Pick<Evidence, 'db'> & { graph: RecordingGraph },
  report: Report,
): Promise<void> {
  const { rows } = await db.$client.query<OutboxRow>(
    `select id, concat_ws(' ', org_id, customer_id, waba_phone_id, kind) as line, position::int, state from outbox`,
  )
  checkOrder(rows, graph, report)
  const left = new Set(graph.requests.map(({ body }) => body.biz_opaque_callback_data))
  for (const { id, state } of rows) if (state === 'unknown' && !left.has(id)) report.add('unknownHasLeft', id)
  const { rows: stopped } = await db.$client.query<{ id: string; reason: string }>(
    'select id, stopped_reason as reason from waba_phones where stopped_at is not null',
  )
  for (const { id, reason } of stopped) report.add('stoppedByMeta', `${id}: ${reason}`)
}

function checkOrder(rows: OutboxRow[], { accepted }: RecordingGraph, report: Report): void {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const furthest = new Map<string, number>()
  for (const { callback } of accepted) {
    const row = byId.get(callback)
    if (!row) continue
    const before = furthest.get(row.line) ?? 0
    if (row.position < before) report.add('sentInOrder', `${callback} after a later one`)
    furthest.set(row.line, Math.max(before, row.position))
  }
}
