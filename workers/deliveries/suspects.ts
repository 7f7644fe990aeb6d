import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../src/db/client.ts'
import { isPassingFault } from '../../src/db/pg-errors.ts'
import { countSuspectTries, readSuspects, takeBackTries } from '../../src/inbox/stranded.ts'
import type { Logger } from '../../src/logger.ts'
import type { Metrics } from '../../src/metrics.ts'
import type { Route } from './route.ts'

type Parts = { db: Db; metrics: Pick<Metrics, 'dead'>; log: Logger }

/**
 * Back-off before a suspect is tried again, for each attempt that it has had. Suspects with fewer attempts are therefore
 * tried first, so that one poison message cannot starve the others.
 */
const BACK_OFF_MS = 500

/**
 * Creates the routing of suspects: deliveries that may have killed their worker. Those that were never tried as suspects
 * are routed together, every other one by itself. A suspect that has used up its attempts becomes a dead letter. Only a
 * death of the worker or an error about the content uses up an attempt; a fault of the database takes it back, so that a
 * suspect is retried for as long as the fault lasts.
 */
export function createSuspectRouting(parts: Parts, route: Route): (ids: number[]) => Promise<void> {
  const { db, metrics, log } = parts
  const inTurn = createTurns()

  async function tryGroup(ids: number[]): Promise<void> {
    const { tries, dead } = await countSuspectTries(db, ids)
    for (const delivery of dead) {
      log.error({ delivery }, 'a delivery became a dead letter: its routing never finished')
      metrics.dead.inc()
    }
    if (tries.length === 0) return
    try {
      await route(tries)
    } catch (error) {
      if (isPassingFault(error)) await takeBack(tries)
      throw error
    }
  }

  /** Repeated while the database is away: this process lives, so the attempt must not count. */
  async function takeBack(tries: number[]): Promise<void> {
    for (let done = false; !done; ) {
      try {
        await takeBackTries(db, tries)
        done = true
      } catch (error) {
        if (!isPassingFault(error)) throw error
        await sleep(BACK_OFF_MS)
      }
    }
  }

  return async (ids) => {
    if (ids.length === 0) return
    for (const group of await readSuspects(db, ids)) {
      await sleep(group.attempts * BACK_OFF_MS)
      await inTurn(() => tryGroup(group.ids))
    }
  }
}

/**
 * Runs one group after another. An attempt is counted before it is made, so a group that waited while another group
 * killed the process would lose an attempt for nothing.
 */
function createTurns(): (work: () => Promise<void>) => Promise<void> {
  let last = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => undefined)
    return mine
  }
}
