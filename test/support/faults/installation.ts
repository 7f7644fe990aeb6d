import { setTimeout as sleep } from 'node:timers/promises'
import { type TestContext, vi } from 'vitest'
import type { Database } from '../../../src/db/client.ts'
import { freePort } from '../../../src/db/embedded/server.ts'
import { createTestDatabase } from '../database.ts'
import type { AcceptedSend } from '../graph-server.ts'
import { SECRETS_KEY } from '../org.ts'
import { eventually, PATIENCE_MS } from '../patience.ts'
import { startRedis } from '../redis.ts'
import { type RunningProcess, spawnProcess } from '../running-process.ts'
import { message, post } from '../webhooks.ts'
import { type Account, accountFor } from './checks/account.ts'
import { PostedRecord } from './checks/posted-record.ts'
import { count, postOnce, type Tally } from './http-sender.ts'

const SECRET = 'leak-app-secret'
const RETRY_MS = 100

// Tests mostly wait, side by side; but each of them starts several processes.
vi.setConfig({ maxConcurrency: 3 })

/** One process of Usher that is up. */
export type Member = RunningProcess & {
  url: string
  opsUrl: string
  kill(signal: NodeJS.Signals): void
}

type Role = 'server' | 'workers' | 'all'
/** `root`: another checkout of Usher, built. */
type Start = { env?: Record<string, string>; preload?: string; root?: string }

type Stores = {
  database?: { db: Database['db']; url: string }
  /** By which the processes reach the database, when it is another than ours. */
  databaseUrl?: string
  redisUrl?: string
}

type AccountOptions = {
  /** What the stand-in Graph API accepted, for orgs that reply. */
  accepted?: readonly AcceptedSend[]
  /** When a worker, or its database, was ended: the sends under way may be `unknown`. */
  workerEnds?: number[]
  /** The messages that must end as dead letters. */
  deadLetters?: string[]
}

/** An installation whose queue is on `engine`; stores that are not given are made. Everything ends with the test. */
export async function install(
  t: TestContext,
  engine: 'postgres' | 'redis',
  stores: Stores = {},
): Promise<Installation> {
  const database = stores.database ?? (await createTestDatabase())
  const redisUrl = engine === 'redis' ? (stores.redisUrl ?? (await redisOf(t))) : undefined
  const site = new Installation(database, stores.databaseUrl ?? database.url, redisUrl)
  t.onTestFinished(() => site.stop())
  return site
}

/** Real processes of Usher on one database, and a record of what was posted to them. */
export class Installation {
  readonly db: Database['db']
  /** By which the processes reach the database. */
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
  readonly #database: { db: Database['db']; url: string }
  readonly #members = new Set<RunningProcess>()
  readonly #record = new PostedRecord()

  constructor(
    database: { db: Database['db']; url: string },
    databaseUrl: string,
    redisUrl: string | undefined,
  ) {
    this.#database = database
    this.db = database.db
    this.databaseUrl = databaseUrl
    this.redisUrl = redisUrl
  }

  /** Starts a process; resolves when it listens. */
  async start(role: Role, { env = {}, preload, root }: Start = {}): Promise<Member> {
    const PORT = env.PORT ?? String(await freePort())
    const member = spawnProcess(
      'workers/main.js',
      [role],
      { ...this.#environment(), PORT, ...env },
      { ...(preload && { preload }), ...(root && { root }) },
    )
    this.#members.add(member)
    const { url, opsUrl } = JSON.parse((await member.printed(/^\{.*"Usher listens.*$/m))[0])
    return { ...member, url, opsUrl, kill: (signal) => void member.child.kill(signal) }
  }

  #environment(): Record<string, string> {
    return {
      DATABASE_URL: this.databaseUrl,
      ...(this.redisUrl && { REDIS_URL: this.redisUrl }),
      META_APP_SECRET: SECRET,
      META_VERIFY_TOKEN: 'leak-verify-token',
      SECRETS_KEY,
      HOST: '127.0.0.1',
      OPS_PORT: '0',
      SHUTDOWN_DELAY_SECONDS: '0',
    }
  }

  /** Posts a signed body once; gives the status, 0 when there was no answer. */
  async post(url: string, body: Buffer, tally?: Tally): Promise<number> {
    this.#record.add(body)
    const before = performance.now()
    const status = await postOnce(url, body, SECRET)
    if (tally) count(tally, status, performance.now() - before)
    if (status === 200) this.#record.acknowledge(body)
    return status
  }

  /** Posts a body again and again, as Meta does, until it is answered with 200. `url` may change meanwhile. */
  async postUntilAcknowledged(url: () => string, body: Buffer, tally?: Tally): Promise<void> {
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await sleep(RETRY_MS))
      if ((await this.post(url(), body, tally)) === 200) return
    throw new Error(`a delivery was not answered with 200 within ${PATIENCE_MS} ms`)
  }

  /** The same at one address. */
  deliver(url: string, body: Buffer): Promise<void> {
    return this.postUntilAcknowledged(() => url, body)
  }

  /**
   * Posts new messages of 40 customers, one every `everyMs`, until the function it gives is called; that gives their
   * wamids when all are acknowledged.
   */
  startLoad(url: () => string, phoneId: string, everyMs: number, tally?: Tally): () => Promise<string[]> {
    const wamids: string[] = []
    const acknowledged: Promise<void>[] = []
    const timer = setInterval(() => {
      const m = message({ from: `1555666${1000 + (wamids.length % 40)}` })
      wamids.push(m.id)
      acknowledged.push(this.postUntilAcknowledged(url, post(phoneId, m), tally))
    }, everyMs)
    return async () => {
      clearInterval(timer)
      await Promise.all(acknowledged)
      return wamids
    }
  }

  /** How many of these messages are stored. */
  async routed(wamids: string[]): Promise<number> {
    const text = 'select count(*)::int as n from messages where wamid = any($1)'
    return (await this.db.$client.query<{ n: number }>(text, [wamids])).rows[0]!.n
  }

  /** Waits until all these messages are stored and no delivery waits; gives the seconds that took. */
  allRouted(wamids: string[]): Promise<number> {
    return secondsUntil(async () => {
      const { rows } = await this.db.$client.query(`select 1 from inbox where state = 'new' limit 1`)
      return rows.length === 0 && (await this.routed(wamids)) === wamids.length
    })
  }

  /** Makes every delivery that is still to be routed due, as if its time had passed since it came. */
  async passDueTime(): Promise<void> {
    await this.db.$client.query(`update inbox set due_at = now() where state = 'new'`)
  }

  /**
   * Waits until no delivery waits, and counts what became of all that was posted.
   * @throws Error when anything was lost, doubled, misplaced or otherwise wrong (`accountFor`).
   */
  async account({ accepted, workerEnds = [], deadLetters = [] }: AccountOptions = {}): Promise<Account> {
    const routed = this.#record.acknowledged.filter((wamid) => !deadLetters.includes(wamid))
    await this.allRouted(routed).catch(() => undefined)
    return accountFor({
      db: this.db,
      databaseUrl: this.#database.url,
      posted: await this.#record.messages(this.db),
      accepted,
      workerEnds,
      deadLetters: new Set(deadLetters),
    })
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.stop(0)))
  }
}

/** Resolves when `check` neither throws nor gives false; gives the seconds that took. */
export async function secondsUntil(check: () => Promise<boolean>): Promise<number> {
  const start = performance.now()
  await eventually(check)
  return (performance.now() - start) / 1_000
}

async function redisOf(t: TestContext): Promise<string> {
  const redis = await startRedis()
  t.onTestFinished(redis.stop)
  return redis.url
}
