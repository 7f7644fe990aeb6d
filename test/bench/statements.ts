import { parseArgs } from 'node:util'
import pg from 'pg'
import { openDatabase } from '../../src/db/client.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'
import { store } from '../support/inbox.ts'
import { startDatabase } from './database.ts'
import { bodyAt } from './requests.ts'
import { runBench, say } from './setup.ts'

const HELP = `npm run bench -- statements [--rooms 1000000] [--batch 200] [--count 16000]`

const NAMELESS = { begin: /^begin/, commit: /^commit/ }

/**
 * `npm run bench -- statements`: what each statement of routing costs a message, over one connection, so that PostgreSQL and
 * this process take turns. The first half of the messages warms up.
 */
async function statements(lifetime: Lifetime): Promise<void> {
  const { rooms, batch, count } = readSettings()
  const server = await startDatabase(say)
  lifetime.onStop('postgres', server.stop)
  const url = await server.clone(rooms)
  const { db, close } = openDatabase(url, { max: 1, name: 'bench-statements', onLost: () => {} })
  lifetime.onStop('pool', close)
  const load = { run: `${Date.now().toString(36)}000`, mix: 'messages' as const, rooms, count }
  const ids: number[] = []
  for (let i = 0; i < count; i += batch)
    ids.push(...(await store(db, ...Array.from({ length: batch }, (_, k) => bodyAt(load, i + k)))))

  const watch = watchStatements()
  const route = async (from: number, to: number) => {
    for (let i = from; i < to; i += batch) {
      await routeDeliveries(db, ids.slice(i, Math.min(i + batch, to)), (error) => {
        throw error
      })
    }
  }
  const half = Math.ceil(ids.length / 2)
  await route(0, half)
  watch.forget()
  const [cpu, began] = [process.cpuUsage(), performance.now()]
  await route(half, ids.length)
  const { user, system } = process.cpuUsage(cpu)
  const perMessage = (ms: number) => ((ms * 1_000) / (ids.length - half)).toFixed(1)
  const rows = watch.sorted().map(([name, ms]) => `| ${name} | ${perMessage(ms)} |`)
  const wall = perMessage(performance.now() - began)
  const own = perMessage((user + system) / 1_000)
  process.stdout.write(
    [
      `us for a message in batches of ${batch}, ${rooms} chatrooms: ${wall} in all, ${own} of them CPU of Node`,
      '| statement, until its answer is read | us |\n|---|---|',
      ...rows,
      '',
    ].join('\n'),
  )
}

/** Time from when a statement was sent, or the one before it was answered, to its own answer; in ms by name. */
function watchStatements() {
  const times = new Map<string, number>()
  const query = pg.Client.prototype.query as (...args: unknown[]) => Promise<unknown> | undefined
  let last = 0
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [first] = args as [{ name?: string } | string]
    const text = typeof first === 'string' ? first : ''
    const name =
      typeof first === 'string'
        ? Object.entries(NAMELESS).find(([, form]) => form.test(text))?.[0]
        : first.name
    const sent = performance.now()
    const answer = query.apply(this, args)
    void answer?.then(() => {
      const now = performance.now()
      times.set(name ?? 'other', (times.get(name ?? 'other') ?? 0) + now - Math.max(sent, last))
      last = now
    })
    return answer
  } as typeof pg.Client.prototype.query
  return {
    forget: () => times.clear(),
    sorted: () => [...times].sort(([, a], [, b]) => b - a),
  }
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: { rooms: text('1000000'), batch: text('200'), count: text('16000') },
  })
  const { rooms, batch, count } = values
  return { rooms: Number(rooms), batch: Number(batch), count: Number(count) }
}

runBench(statements, HELP)
