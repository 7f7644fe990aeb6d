import { expect, onTestFinished } from 'vitest'
import type { Database, Db } from '../../src/db/client.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import { HORIZON } from '../../src/event-log/position.ts'
import type { TestApi } from './api.ts'
import { eventually } from './patience.ts'

/** An event as the API shows it; what its data holds is asserted by the tests. */
// biome-ignore lint/suspicious/noExplicitAny: JSON
export type Shown = { id: string; type: string; timestamp: string; data: any }

/** Waits until everything that has been committed can be read: other tests on the same server may have transactions. */
export async function untilReadable(db: Db): Promise<void> {
  const { rows } = await db.$client.query(
    'select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as ended',
  )
  const text = `select ${HORIZON} >= $1 as passed`
  await eventually(async () => (await db.$client.query(text, [rows[0].ended])).rows[0].passed === true)
}

/** All events of an org, read page by page. */
export async function readEvents(api: TestApi, orgId: string, query = 'limit=100'): Promise<Shown[]> {
  const events: Shown[] = []
  for (let after = '', more = true; more; ) {
    const { status, body } = await api.call('GET', `/v1/org/${orgId}/events?${query}${after}`)
    expect(status).toBe(200)
    events.push(...body.events)
    after = `&after=${body.next}`
    more = body.has_more
  }
  return events
}

/** A transaction that a test holds open, and that has its id already. */
export async function openTransaction(db: Database['db']): Promise<{ tx: Db; commit(): Promise<void> }> {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  let committed: Promise<void> = Promise.resolve()
  const tx = await new Promise<Db>((resolve, reject) => {
    committed = inTransaction(db, async (opened) => {
      await opened.$client.query('select pg_current_xact_id()')
      resolve(opened)
      await ended
    })
    committed.catch(reject)
  })
  const commit = () => {
    end()
    return committed
  }
  onTestFinished(commit)
  return { tx, commit }
}
