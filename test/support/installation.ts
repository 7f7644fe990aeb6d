import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TestContext, vi } from 'vitest'
import type { Database } from '../../src/db/client.ts'
import { freePort } from '../../src/db/embedded/server.ts'
import { sign } from '../../src/http/signature.ts'
import { createTestDatabase } from './database.ts'
import { SECRETS_KEY } from './org.ts'
import { startRedis } from './redis.ts'
import { type RunningProcess, spawnProcess } from './running-process.ts'
import { message, post } from './webhooks.ts'

const SECRET = 'leak-app-secret'
const ANSWER_MS = 10_000

// Tests mostly wait, side by side; but each of them starts several processes.
vi.setConfig({ maxConcurrency: 3 })

/** One process of Usher that is up. */
export type Member = RunningProcess & {
  url: string
  opsUrl: string
  kill(signal: NodeJS.Signals): void
}

type Start = { env?: Record<string, string>; preload?: string }

/** Real processes of Usher on one database; those that are left end with the test. */
export type Installation = {
  db: Database['db']
  databaseUrl: string
  redisUrl: string | undefined
  start(role: 'server' | 'workers' | 'all', options?: Start): Promise<Member>
  /** How many of these messages are in the ledger. */
  routed(wamids: string[]): Promise<number>
  /** Waits until all of them are routed and the inbox is empty, and gives the seconds that took. */
  allRouted(wamids: string[], timeoutMs?: number): Promise<number>
  /** Effects that exist more often than they may: active chatrooms of a customer, replies to a message. */
  doubled(): Promise<number>
}

type Stores = {
  database?: { db: Database['db']; url: string }
  /** By which the processes reach the database, when it is another than ours. */
  databaseUrl?: string
  redisUrl?: string
}

/** An installation whose queue is on `engine`; stores that are not given are made. */
export async function install(
  t: TestContext,
  engine: 'postgres' | 'redis',
  stores: Stores = {},
): Promise<Installation> {
  const database = stores.database ?? (await createTestDatabase())
  const databaseUrl = stores.databaseUrl ?? database.url
  const redisUrl = engine === 'redis' ? (stores.redisUrl ?? (await redisOf(t))) : undefined
  const members = new Set<RunningProcess>()
  t.onTestFinished(async () => {
    await Promise.all([...members].map((member) => member.stop(0)))
  })
  const base = {
    DATABASE_URL: databaseUrl,
    ...(redisUrl && { REDIS_URL: redisUrl }),
    META_APP_SECRET: SECRET,
    META_VERIFY_TOKEN: 'leak-verify-token',
    SECRETS_KEY,
    HOST: '127.0.0.1',
    OPS_PORT: '0',
  }
  const count = async (text: string, values: unknown[] = []): Promise<number> =>
    (await database.db.$client.query(text, values)).rows[0].n
  const routed = (wamids: string[]) =>
    count('select count(*)::int as n from messages where wamid = any($1)', [wamids])
  return {
    db: database.db,
    databaseUrl,
    redisUrl,
    async start(role, { env = {}, preload } = {}) {
      const PORT = env.PORT ?? String(await freePort())
      const member = spawnProcess(
        'workers/main.js',
        [role],
        { ...base, PORT, ...env },
        {
          ...(preload && { preload }),
        },
      )
      members.add(member)
      const { url, opsUrl } = JSON.parse((await member.printed(/^\{.*"Usher is up".*$/m))[0])
      return { ...member, url, opsUrl, kill: (signal) => void member.child.kill(signal) }
    },
    routed,
    async allRouted(wamids, timeoutMs = 50_000) {
      const start = performance.now()
      for (;;) {
        const left = await count(`select count(*)::int as n from inbox where state = 'new'`)
        const found = await routed(wamids)
        if (left === 0 && found === wamids.length) return (performance.now() - start) / 1_000
        if (performance.now() - start > timeoutMs)
          throw new Error(
            `${found} of ${wamids.length} routed, ${left} deliveries left after ${timeoutMs} ms`,
          )
        await sleep(20)
      }
    },
    doubled: () =>
      count(`select ((select count(*) from (select 1 from chatrooms where state = 'active'
          group by org_id, customer_id, waba_phone_id having count(*) > 1) as rooms)
        + (select count(*) from (select 1 from outbox where kind = 'auto_reply'
          group by org_id, in_reply_to having count(*) > 1) as replies))::int as n`),
  }
}

/** Posts new messages of 40 customers, one every `everyMs`, until the function it gives is called. */
export function startLoad(url: () => string, phoneId: string, everyMs: number, tally?: Tally) {
  const wamids: string[] = []
  const taken: Promise<void>[] = []
  const timer = setInterval(() => {
    const m = message({ from: `1555666${1000 + (wamids.length % 40)}` })
    wamids.push(m.id)
    taken.push(sendUntilTaken(url, post(phoneId, m), tally))
  }, everyMs)
  return async (): Promise<string[]> => {
    clearInterval(timer)
    await Promise.all(taken)
    return wamids
  }
}

export const newTally = (): Tally => ({ answers: new Map(), ms: [] })

/** Makes every delivery that is still to be routed due, as if its time had passed since it came. */
export async function passDueTime({ db }: Pick<Installation, 'db'>): Promise<void> {
  await db.$client.query(`update inbox set due_at = now() where state = 'new'`)
}

const agent = new Agent({ keepAlive: true, maxSockets: 200 })

/** Posts a signed body once; 0 when there was no answer within 10 s. */
export async function sendOnce(url: string, body: Buffer): Promise<number> {
  const headers = { 'x-hub-signature-256': sign(body, SECRET), 'content-length': body.length }
  const req = request(`${url}/webhooks/whatsapp`, { method: 'POST', headers, agent })
  req.setTimeout(ANSWER_MS, () => req.destroy())
  req.end(body)
  try {
    const [res] = await once(req, 'response')
    res.resume()
    await once(res, 'end')
    return res.statusCode
  } catch {
    return 0
  }
}

export type Tally = { answers: Map<number, number>; ms: number[] }

/** Posts a body again and again, as Meta does, until it is answered 200. `url` may change on the way. */
export async function sendUntilTaken(url: () => string, body: Buffer, tally?: Tally): Promise<void> {
  for (const end = Date.now() + 100_000; Date.now() < end; await sleep(100)) {
    const before = performance.now()
    const status = await sendOnce(url(), body)
    tally?.ms.push(performance.now() - before)
    tally?.answers.set(status, (tally.answers.get(status) ?? 0) + 1)
    if (status === 200) return
  }
  throw new Error('a delivery was not taken within 100 s')
}

/** Resolves when `check` does not throw and is not false; gives the seconds that took. */
export async function secondsUntil(check: () => Promise<boolean>, timeoutMs = 30_000): Promise<number> {
  const start = performance.now()
  while (!(await check().catch(() => false))) {
    if (performance.now() - start > timeoutMs) throw new Error(`not so within ${timeoutMs} ms: ${check}`)
    await sleep(20)
  }
  return (performance.now() - start) / 1_000
}

/** The time in ms that all but `share` of 1 stay under. */
export function quantile(times: number[], share: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
}

async function redisOf(t: TestContext): Promise<string> {
  const redis = await startRedis()
  t.onTestFinished(redis.stop)
  return redis.url
}
