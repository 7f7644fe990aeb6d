import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../../src/db/client.ts'
import { countSuspectTries, readSuspects } from '../../src/inbox/stranded.ts'
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
 * are routed together, every other one by itself. A suspect that has used up its attempts becomes a dead letter.
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
    if (tries.length > 0) await route(tries)
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
