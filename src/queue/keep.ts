import { setTimeout as sleep } from 'node:timers/promises'
import { succeeds, within } from '../deadline.ts'
import type { Logger } from '../logger.ts'
import { type Engine, ping } from './connection.ts'

/** How to build, start, probe and drop one kind of object that lives on a store. */
type Kind<T> = {
  build(): T
  /** Resolves when the object is connected and works; rejects when it never will. */
  start(object: T): Promise<void>
  /** Resolves when the store answers over the object's own connections. */
  probe(object: T): Promise<unknown>
  /** Releases a dead object. Never rejects. */
  drop(object: T): Promise<void>
}

export type Kept<T> = {
  /** The object, or undefined while there is none that could work. */
  current(): T | undefined
  /** Resolves when the first object works, or when `stop` was called before that. */
  ready: Promise<void>
  /** Ends the probing and building. The current object stays, for the caller to close. */
  stop(): void
}

const RETRY_MS = 500
/** A store that starts together with this process, or is busy, is no warning. */
const PATIENT_FAILURES = 3
/** On PostgreSQL a probe costs more, and `endLostConnections` finds a lost connection without it. */
const PROBE_EVERY_MS = { redis: 1_000, postgres: 3_000 }
const PROBE_AGAIN_MS = 250
const START_MS = 3_000
const PROBE_MS = 1_000
const MAX_FAILURES = 3

/**
 * Keeps one object alive in the background. BullMQ's objects can stop working for good, without an error, when their
 * store was away while they were built or when a connection was lost silently. The object is therefore built only after
 * the store answered, and is replaced when its probe fails three times in a row while the store answers.
 */
export function keep<T>(engine: Engine, kind: Kind<T>, log: Logger): Kept<T> {
  const stopped = new AbortController()
  let current: T | undefined
  const renew = async () => {
    current = await startOne(engine, kind, stopped.signal, log)
  }
  const ready = renew()
  const watch = async () => {
    for (await ready; current !== undefined; await renew()) {
      const object = current
      await untilDead(engine, kind, stopped.signal, object)
      if (stopped.signal.aborted) return
      log.warn('the store of the queues answers, but not over these connections: opening new ones')
      current = undefined
      await kind.drop(object)
    }
  }
  void watch()
  return { current: () => current, ready, stop: () => stopped.abort() }
}

/** Tries every half second until an object works; resolves with undefined when stopped before. */
async function startOne<T>(
  engine: Engine,
  kind: Kind<T>,
  stopped: AbortSignal,
  log: Logger,
): Promise<T | undefined> {
  for (let failures = 0; !stopped.aborted; failures += 1) {
    try {
      const object = await tryOnce(engine, kind)
      if (failures > PATIENT_FAILURES) log.info('connected to the store of the queues')
      if (!stopped.aborted) return object
      await kind.drop(object)
    } catch (err) {
      if (failures === PATIENT_FAILURES)
        log.warn({ err }, 'no connection to the store of the queues yet: trying until there is one')
      await pause(RETRY_MS, stopped)
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

/** Resolves when the object is dead, or when stopped. A probe that fails while the store is away proves nothing. */
async function untilDead<T>(engine: Engine, kind: Kind<T>, stopped: AbortSignal, object: T): Promise<void> {
  for (let failures = 0; failures < MAX_FAILURES && !stopped.aborted; await pause(PROBE_AGAIN_MS, stopped)) {
    if (failures === 0) await pause(PROBE_EVERY_MS[engine.kind], stopped)
    const isAlive = await succeeds(PROBE_MS, () => kind.probe(object))
    failures = !isAlive && (await succeeds(PROBE_MS, () => ping(engine))) ? failures + 1 : 0
  }
}

async function pause(ms: number, stopped: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stopped }).catch(() => undefined)
}
