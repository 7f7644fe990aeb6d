import { setTimeout as sleep } from 'node:timers/promises'
import type { ProxyMode } from '../tcp-proxy.ts'
import type { Child } from './children.ts'
import type { GraphMode } from './graph.ts'
import type { Lab } from './lab.ts'
import type { Random } from './random.ts'

/** What a fault hurts: two faults never hurt the same thing at once. */
export type Target = 'receivers' | 'workers' | 'postgres' | 'redis' | 'graph' | 'doors'

export type Fault = {
  kind: string
  targets: Target[]
  /** Others may begin while it lasts: it leaves enough alive for messages to be routed. */
  lingers?: boolean
  /**
   * Does harm and heals it. Calls `ended` the moment nothing is in the way any more (a killed process: when it is
   * started again), and resolves when its targets may be hurt again.
   */
  run(lab: Lab, random: Random, ended: () => void): Promise<void>
}

export type FaultLimits = { longestFreezeMs: number; longestOutageMs: number }

const MODES: ProxyMode[] = ['blackhole', 'reset', 'refuse', 'delay', 'slice']
const GRAPH_MODES: GraphMode[] = ['500', '429', 'stall', 'reset', 'junk']
const STOP_WITHIN_MS = 12_000

/** Every kind of fault that an engine can have. */
export function faultKinds({ engine }: Lab, { longestFreezeMs, longestOutageMs }: FaultLimits): Fault[] {
  const outage = (random: Random) => sleep(random.int(200, longestOutageMs))
  const timed = (
    kind: string,
    target: Target,
    begin: (lab: Lab, random: Random) => unknown,
    end: (lab: Lab) => unknown,
    wait = outage,
  ): Fault => ({
    kind,
    targets: [target],
    lingers: target === 'graph',
    async run(lab, random, ended) {
      try {
        await begin(lab, random)
        await wait(random)
      } finally {
        await end(lab)
        ended()
      }
    },
  })
  const proxied = (target: 'postgres' | 'redis', mode: ProxyMode) =>
    timed(
      `${target}: connections ${word(mode)}`,
      target,
      (lab) => lab.proxies[target]?.set(mode),
      (lab) => lab.proxies[target]?.set('pass'),
    )
  const common: Fault[] = [
    { kind: 'receiver: kill -9', targets: ['receivers'], run: killOne((lab) => lab.receivers) },
    { kind: 'worker: kill -9', targets: ['workers'], run: killOne((lab) => lab.workers) },
    zombie(longestFreezeMs),
    { kind: 'all: rolling SIGTERM', targets: ['receivers', 'workers'], run: rollingRestart },
    {
      kind: 'postgres: immediate restart',
      targets: ['postgres'],
      run: async (lab, _random, ended) => {
        await lab.postgres.crash()
        ended()
      },
    },
    { kind: 'postgres: half of the backends terminated', targets: ['postgres'], run: terminateBackends },
    timed(
      'postgres: frozen',
      'postgres',
      (lab) => lab.postgres.freeze(),
      (lab) => lab.postgres.thaw(),
    ),
    ...MODES.map((mode) => proxied('postgres', mode)),
    timed(
      'door: connections reset',
      'doors',
      (lab, random) => random.pick(lab.proxies.doors).set('reset'),
      (lab) => Promise.all(lab.proxies.doors.map((proxy) => proxy.set('pass'))),
    ),
    ...GRAPH_MODES.map((mode) =>
      timed(
        `graph: ${mode}`,
        'graph',
        (lab) => lab.graph.set(mode),
        (lab) => lab.graph.set('ok'),
      ),
    ),
    timed(
      'graph: connections refused',
      'graph',
      (lab) => lab.proxies.graph.set('refuse'),
      (lab) => lab.proxies.graph.set('pass'),
    ),
  ]
  const onRedis: Fault[] = [
    timed(
      'redis: kill -9, back empty',
      'redis',
      (lab) => lab.redis?.kill(),
      (lab) => lab.redis?.restart(),
    ),
    timed(
      'redis: FLUSHALL',
      'redis',
      (lab) => lab.redis?.flush(),
      () => undefined,
      async () => undefined,
    ),
    timed(
      'redis: frozen',
      'redis',
      (lab) => lab.redis?.freeze(),
      (lab) => lab.redis?.thaw(),
    ),
    timed(
      'redis: out of memory',
      'redis',
      (lab) => lab.redis?.limitMemory(1),
      (lab) => lab.redis?.limitMemory(0),
    ),
    ...MODES.map((mode) => proxied('redis', mode)),
  ]
  return engine === 'redis' ? [...common, ...onRedis] : common
}

/** Undoes whatever a fault may have left, and resolves when every process is up. */
export async function healAll(lab: Lab): Promise<void> {
  const { postgres, redis, graph, proxies } = lab
  postgres.thaw()
  redis?.thaw()
  await redis?.restart()
  await redis?.limitMemory(0)
  graph.set('ok')
  const all = [proxies.postgres, proxies.graph, ...proxies.doors, ...(proxies.redis ? [proxies.redis] : [])]
  for (const proxy of all) await proxy.set('pass')
  for (const child of [...lab.receivers, ...lab.workers]) child.thaw()
}

const WORDS: Record<ProxyMode, string> = {
  pass: 'pass',
  blackhole: 'swallowed',
  reset: 'reset',
  refuse: 'refused',
  delay: 'delayed',
  slice: 'sliced',
}
const word = (mode: ProxyMode) => WORDS[mode]

function killOne(of: (lab: Lab) => Child[]): Fault['run'] {
  return async (lab, random, ended) => {
    const child = random.pick(of(lab))
    await child.end('SIGKILL')
    await sleep(random.int(0, 500))
    const up = child.start()
    ended()
    await up
  }
}

/** It sleeps through its locks and wakes up in the middle of work that others have done meanwhile. */
function zombie(longestMs: number): Fault {
  return {
    kind: 'worker: SIGSTOP, then SIGCONT',
    targets: ['workers'],
    lingers: true,
    async run(lab, random, ended) {
      const child = random.pick(lab.workers)
      child.freeze()
      await sleep(random.int(1_000, longestMs))
      child.thaw()
      ended()
    },
  }
}

/** One after the other, as a deployment does; each must end by itself, in time and with 0. */
async function rollingRestart(lab: Lab, _random: Random, ended: () => void): Promise<void> {
  for (const child of [...lab.receivers, ...lab.workers]) {
    const before = performance.now()
    const code = await child.end('SIGTERM')
    const ms = Math.round(performance.now() - before)
    if (code !== 0 || ms > STOP_WITHIN_MS)
      child.figures().unasked.push(`exit code ${code} ${ms} ms after SIGTERM`)
    await child.start()
  }
  ended()
}

async function terminateBackends(lab: Lab, _random: Random, ended: () => void): Promise<void> {
  await lab.db.$client.query(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name <> 'lab' and random() < 0.5`)
  ended()
}
