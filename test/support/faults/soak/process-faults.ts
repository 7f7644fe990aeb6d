import { setTimeout as sleep } from 'node:timers/promises'
import { SLOWNESS } from '../../patience.ts'
import { type Lab, RECEIVER_DELAY_SECONDS } from '../lab/lab.ts'
import type { ProcessRole, UsherProcess } from '../lab/usher-process.ts'
import type { Fault } from './fault.ts'

/** What docs/operate.md promises: 10 s, which for a receiver begin after its delay. */
const STOPS_WITHIN_MS = { workers: 10_000, server: RECEIVER_DELAY_SECONDS * 1_000 + 10_000 }
const FOR_THE_MACHINE_MS = 2_000

/** Faults of Usher's own processes. */
export function processFaults(longestFreezeMs: number): Fault[] {
  return [
    { kind: 'receiver: kill -9', targets: ['receivers'], run: killOne(({ receivers }) => receivers) },
    { kind: 'worker: kill -9', targets: ['workers'], run: killOne(({ workers }) => workers) },
    freezeWorker(longestFreezeMs),
    skewReceiver(longestFreezeMs),
    { kind: 'all: rolling SIGTERM', targets: ['receivers', 'workers'], run: restartAll },
  ]
}

function killOne(of: (lab: Lab) => UsherProcess[]): Fault['run'] {
  return async (lab, random, ended) => {
    const process = random.pick(of(lab))
    await process.end('SIGKILL')
    await sleep(random.int(0, 500))
    const up = process.start()
    ended()
    await up
  }
}

/** Its locks run out while it is frozen, and then it goes on with work that others have done meanwhile. */
function freezeWorker(longestMs: number): Fault {
  return {
    kind: 'worker: SIGSTOP, then SIGCONT',
    targets: ['workers'],
    lingers: true,
    async run(lab, random, ended) {
      const worker = random.pick(lab.workers)
      worker.freeze()
      await sleep(random.int(1_000, longestMs))
      worker.thaw()
      ended()
    },
  }
}

/** Its API must change nothing meanwhile; it goes on storing deliveries. */
function skewReceiver(longestMs: number): Fault {
  return {
    kind: 'receiver: clock 31 days wrong',
    targets: ['receivers'],
    lingers: true,
    async run(lab, random, ended) {
      const receiver = random.pick(lab.receivers)
      receiver.skewClock()
      await sleep(random.int(1_000, longestMs))
      receiver.setClockRight()
      ended()
    },
  }
}

function stopsWithinMs(role: ProcessRole): number {
  return STOPS_WITHIN_MS[role] + FOR_THE_MACHINE_MS * SLOWNESS
}

/** One after another, as a deployment does; each must end by itself, in time and with exit code 0. */
const restartAll: Fault['run'] = async (lab, _random, ended) => {
  for (const process of [...lab.receivers, ...lab.workers]) {
    const before = performance.now()
    const code = await process.end('SIGTERM')
    const ms = Math.round(performance.now() - before)
    if (code !== 0 || ms > stopsWithinMs(process.role))
      process.figures.unasked.push(`exit code ${code} ${ms} ms after SIGTERM`)
    await process.start()
  }
  ended()
}
