import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SignJWT } from 'jose'
import { startEmbedded } from '../../src/db/embedded/start.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { projectRoot } from '../../src/project-root.ts'
import { findRedis, startRedis } from '../support/redis.ts'
import { latencyOf } from './figures.ts'
import { readCpu } from './meters.ts'
import { runBench, say } from './setup.ts'
import { ANSWER_MS, type SlowGraph, startSlowGraph } from './storm-graph.ts'
import { JWT_SECRET, loadPairs, openWorld, queueReplies, roomOf, type World } from './storm-world.ts'

const HELP = `npm run bench -- storm [--customers 1000] [--each 100] [--other FOLDER] [--pairs 5000] [--rounds 3]
Replies of one org that wait (customers x each), and what another org's send takes meanwhile, on both queues. With --other,
another checkout of Usher, built: the throughput of sending one text to each of so many pairs, side by side.`

const STORM = 'storm'
const OTHER = 'other'
const SAMPLES = 60
const SAMPLE_EVERY_MS = 500
const REST_MS = 20_000

type Engine = { name: string; redisUrl: string | undefined }
type Lab = { serverUrl: string; engines: Engine[]; graph: SlowGraph; lifetime: Lifetime }

/** `npm run bench -- storm`; see HELP. */
async function storm(lifetime: Lifetime): Promise<void> {
  const { customers, each, other, pairs, rounds } = readSettings()
  const folder = await mkdtemp(join(tmpdir(), 'usher-storm-'))
  lifetime.onStop('folder', () => rm(folder, { recursive: true, force: true }))
  const postgres = await startEmbedded({ dataDir: join(folder, 'postgres'), log: say })
  lifetime.onStop('postgres', postgres.stop)
  const graph = await startSlowGraph()
  lifetime.onStop('graph', async () => graph.stop())
  const lab: Lab = { serverUrl: postgres.url, engines: await startEngines(lifetime), graph, lifetime }
  print(
    `${cpus().length} cores, load average ${loadavg()[0]?.toFixed(1)}; the Graph API answers in ${ANSWER_MS} ms`,
  )
  if (other) return compareThroughput(lab, resolve(other), { pairs, rounds })
  print(`${customers * each} replies of one org, ${each} for each of ${customers} customers`)
  print(
    '| queue | another org, API to Graph: median, p99 | CPU of the process when nothing waits | while all wait |\n|---|---|---|---|',
  )
  for (const engine of lab.engines) print(await measureStorm(lab, engine, { customers, each }))
}

async function measureStorm(lab: Lab, { name, redisUrl }: Engine, size: { customers: number; each: number }) {
  const options = {
    root: projectRoot(),
    serverUrl: lab.serverUrl,
    name: `storm_${name}`,
    graphUrl: lab.graph.url,
  }
  const world = await openWorld({ ...options, redisUrl }, [STORM, OTHER])
  lab.lifetime.onStop(`world ${name}`, world.stop)
  await loadPairs(world, STORM, 1, size.customers)
  await loadPairs(world, OTHER, size.customers + 1, SAMPLES)
  const usher = await world.start('all')
  await sleep(REST_MS / 2)
  const idle = await cpuOf(usher.pid)
  await queueReplies(world, STORM, size.each)
  const token = await tokenOf(OTHER)
  const latencies: number[] = []
  for (let i = 0; i < SAMPLES; i += 1) {
    const body = `sample ${name} ${i}`
    const began = performance.now()
    const arrived = lab.graph.arrival(body)
    await post(usher.url, OTHER, roomOf(size.customers + 1 + i), token, body)
    latencies.push((await arrived) - began)
    await sleep(SAMPLE_EVERY_MS)
  }
  await comeToRest(world)
  const cpu = await cpuOf(usher.pid)
  await world.stop()
  const { p50 = 0, p99 = 0 } = latencyOf(latencies) ?? {}
  return `| ${name} | ${p50.toFixed(0)} ms, ${p99.toFixed(0)} ms | ${idle} % | ${cpu} % |`
}

/** What the process uses, in % of a core, while nothing is due. */
async function cpuOf(pid: number): Promise<string> {
  const processes = [{ name: 'usher', pid }]
  const before = readCpu(processes)
  await sleep(REST_MS)
  const used = (readCpu(processes)?.usher ?? Number.NaN) - (before?.usher ?? Number.NaN)
  return ((100 * used) / (REST_MS / 1000)).toFixed(1)
}

/** Pairs come back a minute after their last replies. The next time of all is moved away, until nothing is due. */
async function comeToRest({ client }: World): Promise<void> {
  const text = `update outbox_pairs set due_at = now() + interval '1 hour'
    where org_id = $1 and due_at < now() + interval '10 minutes'`
  while (((await client.query(text, [STORM])).rowCount ?? 0) > 0) await sleep(1_000)
  await sleep(2_000)
}

type Round = { pairs: number; rounds: number }

/** Both checkouts take turns; each queues its texts by its API, and then its workers are started. */
async function compareThroughput(
  { lifetime, ...lab }: Lab,
  other: string,
  { pairs, rounds }: Round,
): Promise<void> {
  print(`| queue | this checkout, sends/s | the other, sends/s |\n|---|---|---|`)
  for (const { name, redisUrl } of lab.engines.slice(0, 1)) {
    const sides = []
    for (const [side, root] of Object.entries({ a: projectRoot(), b: other })) {
      const options = {
        root,
        serverUrl: lab.serverUrl,
        name: `throughput_${name}_${side}`,
        graphUrl: lab.graph.url,
      }
      const world = await openWorld({ ...options, redisUrl }, [STORM])
      lifetime.onStop(`world ${side}`, world.stop)
      await loadPairs(world, STORM, 1, pairs)
      sides.push({ world, rates: [] as number[] })
    }
    for (let round = 0; round < rounds; round += 1)
      for (const { world, rates } of round % 2 ? sides.toReversed() : sides)
        rates.push(await sendToAll(world, lab.graph, pairs))
    print(
      `| ${name} | ${sides.map(({ rates }) => rates.map((rate) => rate.toFixed(0)).join(', ')).join(' | ')} |`,
    )
  }
}

const POSTS_AT_ONCE = 16

async function sendToAll(world: World, graph: SlowGraph, pairs: number): Promise<number> {
  const server = await world.start('server')
  const token = await tokenOf(STORM)
  let next = 0
  const postSome = async () => {
    while (next < pairs) await post(server.url, STORM, roomOf(++next), token, 'hello')
  }
  await Promise.all(Array.from({ length: POSTS_AT_ONCE }, postSome))
  await server.stop()
  graph.times.length = 0
  const workers = await world.start('workers')
  while (graph.times.length < pairs) await sleep(50)
  await workers.stop()
  return (pairs - 1) / (((graph.times.at(-1) ?? 0) - (graph.times[0] ?? 0)) / 1000)
}

async function post(url: string, org: string, room: string, token: string, body: string): Promise<void> {
  const response = await fetch(`${url}/v1/org/${org}/chatroom/${room}/messages`, {
    ...{ method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } },
    body: JSON.stringify({ origin: 'AGENT', text: { body } }),
  })
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
}

function tokenOf(org: string): Promise<string> {
  const token = new SignJWT({ org_id: org, role: 'ADMIN' }).setProtectedHeader({ alg: 'HS256' })
  return token.setSubject('bench').setExpirationTime('2 hours').sign(new TextEncoder().encode(JWT_SECRET))
}

async function startEngines(lifetime: Lifetime): Promise<Engine[]> {
  const engines: Engine[] = [{ name: 'postgres', redisUrl: undefined }]
  if (findRedis() === undefined) return engines
  const redis = await startRedis()
  lifetime.onStop('redis', redis.stop)
  return [...engines, { name: 'redis', redisUrl: redis.url }]
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ customers: text('1000'), each: text('100'), other: text('') },
      ...{ pairs: text('5000'), rounds: text('3') },
    },
  })
  const { other, ...numbers } = values
  const [customers, each] = [Number(numbers.customers), Number(numbers.each)]
  return { other, customers, each, pairs: Number(numbers.pairs), rounds: Number(numbers.rounds) }
}

const print = (line: string) => void process.stdout.write(`${line}\n`)

runBench(storm, HELP)
