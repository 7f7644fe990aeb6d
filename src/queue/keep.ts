import { succeeds, within } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { type Engine, ping } from './connection.ts'

/** How to build, start, prove and drop one kind of object that lives on a store. */
type Kind<T> = {
  build(): T
  /** Resolves when the object is connected and at work; rejects when it never will be. */
  start(object: T): Promise<void>
  /** Resolves when the object's own connections answer. */
  probe(object: T): Promise<unknown>
  /** Lets go of a dead object. Never rejects. */
  drop(object: T): Promise<void>
}

export type Kept<T> = {
  /** The object, or undefined while there is none that could work. */
  current(): T | undefined
  /** Resolves when the first object is at work, or when stopped before that. */
  ready: Promise<void>
  /** Builds no more. What is current stays, for the caller to close. */
  stop(): void
}

const RETRY_MS = 500
/** On PostgreSQL a probe costs more, and a lost connection is found without it (`endLostConnections`). */
const WATCH_MS = { redis: 1_000, postgres: 3_000 }
const AGAIN_MS = 250
const START_MS = 3_000
const PROBE_MS = 1_000
const STRIKES = 3

/**
 * Keeps one object alive in the background. BullMQ's objects can be dead for ever, and silently, when their store
 * was away while they were built or when a connection was lost without a word. So one is built only after the
 * store answered, and built anew when the store answers and the object does not, three times in a row.
 */
export function keep<T>(engine: Engine, kind: Kind<T>, log: Logger): Kept<T> {
  const naps = createNaps()
  let current: T | undefined
  const renew = async () => {
    current = await startOne(engine, kind, naps, log)
  }
  const ready = renew()
  const live = async () => {
    for (await ready; current !== undefined; await renew()) {
      const object = current
      await untilDead(engine, kind, naps, object)
      if (naps.over()) return
      log.warn('its store answers and it does not: building it anew')
      current = undefined
      await kind.drop(object)
    }
  }
  void live()
  return { current: () => current, ready, stop: naps.end }
}

/** Tries every half second until an object is at work; undefined when stopped. */
async function startOne<T>(engine: Engine, kind: Kind<T>, naps: Naps, log: Logger): Promise<T | undefined> {
  for (let failures = 0; !naps.over(); failures += 1) {
    try {
      const object = await tryOnce(engine, kind)
      if (failures > 0) log.info('connected to its store')
      if (!naps.over()) return object
      await kind.drop(object)
    } catch (err) {
      if (failures === 0) log.warn({ err }, 'not connected to its store yet: trying until it is')
      await naps.nap(RETRY_MS)
    }
  }
  return undefined
}

async function tryOnce<T>(engine: Engine, kind: Kind<T>): Promise<T> {
  await ping(engine)
  const object = kind.build()
  try {
    await within(START_MS, () => kind.start(object))
    return object
  } catch (error) {
    await kind.drop(object)
    throw error
  }
}

async function untilDead<T>(engine: Engine, kind: Kind<T>, naps: Naps, object: T): Promise<void> {
  for (let strikes = 0; strikes < STRIKES && !naps.over(); await naps.nap(AGAIN_MS)) {
    if (strikes === 0) await naps.nap(WATCH_MS[engine.kind])
    const alive = await succeeds(PROBE_MS, () => kind.probe(object))
    strikes = !alive && (await succeeds(PROBE_MS, () => ping(engine))) ? strikes + 1 : 0
  }
}

type Naps = ReturnType<typeof createNaps>

/** Pauses of one loop, which `end` cuts short. */
function createNaps() {
  let over = false
  let wake: () => void = () => undefined
  return {
    nap: (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, over ? 0 : ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    end() {
      over = true
      wake()
    },
    over: () => over,
  }
}
