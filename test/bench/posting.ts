import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../src/db/client.ts'
import { HORIZON, POSITION } from '../../src/event-log/position.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { createEndpoint } from '../../src/webhook-endpoints/create-endpoint.ts'
import { type Child, startChild } from './child.ts'
import type { Sunk, ToSink } from './event-sink.ts'
import { type Bench, measureLoad } from './measure.ts'
import { readPeakMemory } from './meters.ts'
import { ORGS, orgOf } from './people.ts'
import { runBench, say, setUp } from './setup.ts'
import { type Running, startApart } from './variants.ts'

const HELP = `npm run bench -- posting [--rooms 50000] [--rounds 3] [--seconds 5] [--events 20000] [--rate 500]
Routing with and without a webhook endpoint in each org, in turns; one endpoint that is so many events behind; and the time
from an event to its receiver at a rate.`

const CONNECTIONS = 64
/** A process learns of endpoints within this time. */
const KNOWN_MS = 3_000
const QUIET_MS = 2_000
const PATIENCE_MS = 1_200_000

type Settings = { rooms: number; rounds: number; seconds: number; events: number; rate: number }
type Lab = { bench: Bench; running: Running; sink: Child<ToSink, Sunk>; settings: Settings }

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run bench -- posting`; see HELP. */
async function posting(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const { enter } = await setUp(lifetime)
  const { bench, world } = await enter(settings.rooms, 1)
  const sink = startChild<ToSink, Sunk>('event-sink.js')
  lifetime.onStop('receiver of the endpoints', sink.stop)
  const secretsKey = randomBytes(32)
  await createEndpoints(world.databaseUrl, (await sink.ask({ reset: true })).url, secretsKey)
  const running = await startApart(world, {
    SECRETS_KEY: secretsKey.toString('base64'),
    WEBHOOK_ALLOW_PRIVATE: 'true',
  })
  const lab = { bench, running, sink, settings }
  await compareRouting(lab)
  await measureBacklog(lab)
  await measureLag(lab)
}

function readSettings(): Settings {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ rooms: text('50000'), rounds: text('3'), seconds: text('5') },
      ...{ events: text('20000'), rate: text('500') },
    },
  })
  const { rooms, rounds, seconds, events, rate } = values
  return {
    ...{ rooms: Number(rooms), rounds: Number(rounds), seconds: Number(seconds) },
    ...{ events: Number(events), rate: Number(rate) },
  }
}

async function createEndpoints(databaseUrl: string, url: string, secretsKey: Buffer): Promise<void> {
  const { db, close } = openDatabase(databaseUrl, { max: 1, name: 'bench-endpoints', onLost: () => {} })
  for (let n = 0; n < ORGS; n += 1)
    await createEndpoint(db, {
      orgId: orgOf(n),
      settings: {
        ...{ url, types: ['message.received'], description: null, enabled: false },
        ...{ include_content: true, on_rejection: 'skip' },
      },
      actor: 'bench',
      installation: { secretsKey, allowPrivateWebhooks: true },
    })
  await close()
}

/** Enables all endpoints, or none, from the end of the log on. */
async function enable({ bench: { client }, sink }: Lab, isEnabled: boolean): Promise<void> {
  await client.query('update webhook_endpoints set enabled = false')
  await untilQuiet(sink)
  await client.query('delete from webhook_lanes')
  await client.query(
    `update webhook_endpoints set enabled = $1, position = ${HORIZON}, seq = 0, at = now()`,
    [isEnabled],
  )
  await sleep(KNOWN_MS)
}

/** Lanes that were taken go on to the end of what was taken. */
async function untilQuiet(sink: Lab['sink']): Promise<void> {
  for (let before = -1; ; await sleep(QUIET_MS)) {
    const { count } = await sink.ask({ reset: false })
    if (count === before) return
    before = count
  }
}

/** Waits until so many events have arrived since the last reset; gives what the receiver says then. */
async function untilArrived({ sink }: Lab, count: number): Promise<Sunk> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(100)) {
    const sunk = await sink.ask({ reset: false })
    if (sunk.count >= count) return sunk
  }
  throw new Error(`${count} events did not arrive within ${PATIENCE_MS / 1_000} s`)
}

/** Both sides of a round route at full speed; the endpoints get the events meanwhile, and for a while after it. */
async function compareRouting(lab: Lab): Promise<void> {
  const { bench, running, settings } = lab
  const { rooms, seconds, rounds } = settings
  const load = { mix: 'messages' as const, rooms, seconds, connections: CONNECTIONS, count: seconds * 10_000 }
  // The first load of a process is slower than all others.
  await enable(lab, false)
  await measureLoad(bench, running, load)
  print('| round | routed/s without endpoints | with one in each org | ratio |\n|---|---|---|---|')
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? [false, true] : [true, false]
    const rates = new Map<boolean, number>()
    for (const isEnabled of order) {
      await enable(lab, isEnabled)
      rates.set(isEnabled, (await measureLoad(bench, running, load)).routed_per_s ?? 0)
    }
    const [without = 0, withOnes = 0] = [rates.get(false), rates.get(true)]
    print(
      `| ${round + 1} | ${without.toFixed(0)} | ${withOnes.toFixed(0)} | ${(withOnes / without).toFixed(2)} |`,
    )
  }
}

/** One endpoint, whose org has so many events that it has not got. */
async function measureBacklog(lab: Lab): Promise<void> {
  const { bench, running, sink, settings } = lab
  await enable(lab, false)
  await bench.client.query(
    `with c as (select id, row_number() over () - 1 as nth, count(*) over () as all from customers where org_id = $1),
       m as (select wamid, row_number() over () - 1 as nth, count(*) over () as all from messages
         where org_id = $1 and direction = 'in' and chatroom_id is not null)
     insert into event_log (org_id, position, at, type, customer_id, wamid)
     select $1, ${POSITION}, now(), 'message.received', c.id, m.wamid
     from generate_series(1, $2::int) n join c on c.nth = n % c.all join m on m.nth = n % m.all order by n`,
    [orgOf(0), settings.events],
  )
  await sink.ask({ reset: true })
  const memory = () => readPeakMemory(running.processes)?.workers
  const before = memory()
  const began = Date.now()
  await bench.client.query('update webhook_endpoints set enabled = true where org_id = $1', [orgOf(0)])
  const { count, lastAt } = await untilArrived(lab, settings.events)
  const rate = (count * 1_000) / (lastAt - began)
  print(`\none endpoint, ${count} events behind: ${rate.toFixed(0)} events/s`)
  print(`largest memory of the workers: ${before} MB before, ${memory()} MB afterwards`)
}

/** At a rate, without endpoints and with one in each org: what a message costs all processes, and how late its event is. */
async function measureLag(lab: Lab): Promise<void> {
  const { bench, running, sink, settings } = lab
  const { rooms, seconds, rate } = settings
  const load = {
    mix: 'messages' as const,
    rooms,
    seconds,
    rate,
    connections: CONNECTIONS,
    count: seconds * rate,
  }
  await enable(lab, false)
  const without = await measureLoad(bench, running, load)
  await enable(lab, true)
  await sink.ask({ reset: true })
  const { acknowledged, cpu_s_per_1000 } = await measureLoad(bench, running, load)
  // Some messages are held, and are no events of this type.
  const { count, lag } = await untilArrived(lab, Math.floor(acknowledged * 0.95))
  const [p50, p99, max] = [lag?.p50, lag?.p99, lag?.max].map((ms) => `${ms?.toFixed(0)} ms`)
  print(
    `\n${rate} messages/s, ${count} events, from event to receiver: median ${p50}, 99 % ${p99}, at most ${max}`,
  )
  print('CPU seconds of 1,000 messages, without endpoints and with:')
  const [alone, both] = [without.cpu_s_per_1000 ?? {}, cpu_s_per_1000 ?? {}]
  for (const name of Object.keys(both) as (keyof typeof both)[])
    print(`${name}: ${alone[name]?.toFixed(2)} ${both[name]?.toFixed(2)}`)
}

say('one measurement after another; a round of routing takes about half a minute')
runBench(posting, HELP)
