import { openDatabase } from '../../src/db/client.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { store } from '../support/inbox.ts'
import { answerParent } from './child.ts'
import { type Batch, bodyAt } from './requests.ts'

export type SqlLoad = Batch & { url: string; concurrency: number; batch: number; seconds: number }
export type SqlResult = { startedAt: number; lastAt: number; routed: number; ranOut: boolean }
export type ToSqlAlone = { prepare: SqlLoad } | { go: true }

const FILL = 500

const now = () => performance.timeOrigin + performance.now()

let load: SqlLoad
let ids: number[] = []
let database: ReturnType<typeof openDatabase>

/** SQL alone, a process of its own: fills the inbox beforehand, then only routes, batch after batch. */
answerParent(async (message: ToSqlAlone): Promise<SqlResult | object> => {
  if ('go' in message) return run()
  load = message.prepare
  const { url, concurrency } = load
  database ??= openDatabase(url, { max: concurrency, name: 'bench-sql', onLost: () => {} })
  ids = []
  for (let place = 0; place < load.count; place += FILL) {
    const bodies = Array.from({ length: Math.min(FILL, load.count - place) }, (_, i) =>
      bodyAt(load, place + i),
    )
    ids.push(...(await store(database.db, ...bodies)))
  }
  return {}
})

async function run(): Promise<SqlResult> {
  const startedAt = now()
  const deadline = startedAt + load.seconds * 1_000
  let next = 0
  const poison = (error: unknown) => {
    throw error
  }
  const route = async () => {
    while (next < ids.length && now() < deadline) {
      const batch = ids.slice(next, next + load.batch)
      next += batch.length
      await routeDeliveries(database.db, batch, poison)
    }
  }
  await Promise.all(Array.from({ length: load.concurrency }, route))
  return { startedAt, lastAt: now(), routed: next, ranOut: next === ids.length }
}
