import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Lifetime } from '../../src/lifetime.ts'
import { CONTENDERS, type Contender } from './contenders.ts'
import type { LoadResult } from './generator.ts'
import { type Bench, newRun } from './measure.ts'
import { tripleAt } from './requests.ts'
import { runBench, say, setUp } from './setup.ts'
import type { Running, World } from './variants.ts'

const HELP = `npm run bench -- peers [--rooms 100000] [--seconds 6] [--connections 64] [--rate 500] [--only WORDS]
Usher beside libraries of npm that take WhatsApp webhooks, each behind Express with one INSERT for a message. They are installed
on demand, outside of the project. Each gets the same load: as fast as it goes, deliveries of three messages, and kill -9.`

const TRIPLES = 100
const WARM_UP_SECONDS = 2
const MOST_PER_SECOND = 16_000
/** A contender that has stored nothing more for so long is taken to be done. */
const QUIET_MS = 3_000

type Settings = ReturnType<typeof readSettings>
type Lab = { bench: Bench; world: World; contender: Contender; settings: Settings }
type Wanted = { seconds: number; rate?: number; during?: () => Promise<void> }

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** `npm run bench -- peers`; see HELP. */
async function peers(lifetime: Lifetime): Promise<void> {
  const settings = readSettings()
  const { enter } = await setUp(lifetime)
  print(
    '| | answered 200 a second | stored a second | answered and not stored | whole deliveries of three messages | kill -9: answered and not stored |',
  )
  print('|---|---|---|---|---|---|')
  for (const contender of CONTENDERS.filter(({ title }) => title.includes(settings.only))) {
    const { bench, world } = await enter(settings.rooms, 1)
    if (contender.needsRedis && world.redisUrl === undefined) continue
    say(contender.title)
    await contender.prepare(bench.client)
    print(await rowOf({ bench, world, contender, settings }))
  }
}

async function rowOf(lab: Lab): Promise<string> {
  const { world, contender, settings } = lab
  const running = await contender.start(world)
  await loadFor(lab, running, { seconds: WARM_UP_SECONDS })
  const full = await loadFor(lab, running, { seconds: settings.seconds })
  const whole = await countWhole(lab, running)
  const killed = await loseNothing(lab, running)
  const perSecond = (count: number, until: number) =>
    ((count * 1_000) / (until - full.result.startedAt)).toFixed(0)
  const cells = [
    perSecond(full.result.accepted, full.result.lastAt),
    perSecond(full.stored.size, Math.max(...full.stored.values())),
    `${full.missing} of ${full.result.accepted}`,
    `${whole} of ${TRIPLES}`,
    `${killed.missing} of ${killed.result.accepted}`,
  ]
  return `| ${[contender.title, ...cells].join(' | ')} |`
}

/** Sends a load, and says which of its messages were answered 200 and are not stored when nothing more is stored. */
async function loadFor({ bench, contender, settings }: Lab, running: Running, wanted: Wanted) {
  const { seconds, rate } = wanted
  const { rooms, connections } = settings
  const batch = { run: newRun(), mix: 'messages' as const, rooms, count: (rate ?? MOST_PER_SECOND) * seconds }
  const load = { ...batch, port: running.port, connections, seconds, ...(rate !== undefined && { rate }) }
  await bench.generator.ask({ prepare: load })
  const [result] = await Promise.all([bench.generator.ask({ go: true }), wanted.during?.()])
  const stored = await storedInTheEnd(() => contender.stored(bench.client, batch.run))
  return { result, stored, missing: missingOf(result, stored) }
}

function missingOf({ answerMs }: LoadResult, stored: Map<number, number>): number {
  return answerMs.reduce((sum, took, place) => sum + Number(took > 0 && !stored.has(place)), 0)
}

async function storedInTheEnd(read: () => Promise<Map<number, number>>): Promise<Map<number, number>> {
  let stored = await read()
  for (;;) {
    await sleep(QUIET_MS)
    const more = await read()
    if (more.size === stored.size) return more
    stored = more
  }
}

/** Of deliveries with three messages of one customer, those of which each message is stored. */
async function countWhole({ bench, contender, settings }: Lab, { port }: Running): Promise<number> {
  const run = newRun()
  for (let place = 0; place < TRIPLES; place += 1) {
    const { body, headers } = tripleAt(run, settings.rooms, place)
    await fetch(`http://127.0.0.1:${port}/webhooks/whatsapp`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers,
    })
  }
  const stored = await storedInTheEnd(() => contender.stored(bench.client, run))
  return Array.from({ length: TRIPLES }, (_, i) => [3 * i, 3 * i + 1, 3 * i + 2]).filter((places) =>
    places.every((place) => stored.has(place)),
  ).length
}

/** All processes are killed in the middle of a load, and started again. Meta would deliver again what was not answered. */
async function loseNothing(lab: Lab, running: Running) {
  const { rate, seconds } = lab.settings
  const during = async () => {
    await sleep((seconds * 1_000) / 2)
    for (const { pid } of running.processes) process.kill(pid, 'SIGKILL')
    await Promise.all(running.processes.map((one) => one.stop()))
    running = await lab.contender.start(lab.world)
  }
  const end = await loadFor(lab, running, { seconds, rate, during })
  await running.stop()
  return end
}

function readSettings() {
  const text = (value: string) => ({ type: 'string' as const, default: value })
  const { values } = parseArgs({
    options: {
      ...{ rooms: text('100000'), seconds: text('6'), connections: text('64') },
      ...{ rate: text('500'), only: text('') },
    },
  })
  const { rooms, seconds, connections, rate, only } = values
  const size = { rooms: Number(rooms), seconds: Number(seconds) }
  return { ...size, connections: Number(connections), rate: Number(rate), only }
}

runBench(peers, HELP)
