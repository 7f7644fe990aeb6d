import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, seededRandom } from '../random.ts'
import { callApi } from './call-api.ts'
import type { Lab } from './lab.ts'
import { type LabNumber, LEAVER, LEAVERS, ORGS } from './orgs.ts'

/** Changes of an installation that is at work; `done` counts them by kind. */
export type LabChanges = { done: Record<'moves' | 'leavers', number>; stop(): Promise<void> }

/** Meta names the new id so long before it is provisioned. */
const UNKNOWN_FOR_MS = 500
const RETRY_MS = 500

/**
 * Numbers get another id at Meta, and users leave, one change after another, with a pause between two. A change that a
 * fault interrupts is made again until it is done; `stop` resolves when no change is half done.
 */
export function startChanges(lab: Lab, { seed, everyMs }: { seed: number; everyMs: number }): LabChanges {
  const random = seededRandom(seed + 3)
  const done = { moves: 0, leavers: 0 }
  const leavers = random.shuffled(
    ORGS.flatMap(({ id }) => Array.from({ length: LEAVERS }, (_, i) => ({ orgId: id, userId: LEAVER + i }))),
  )
  const stopping = new AbortController()
  const pause = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined)
  const work = async () => {
    for (await pause(everyMs); !stopping.signal.aborted; await pause(everyMs)) {
      const leaver = random.chance(0.5) ? leavers.pop() : undefined
      if (leaver) await leave(lab, leaver, random)
      else await move(lab, random.pick(lab.population.numbers))
      done[leaver ? 'leavers' : 'moves'] += 1
    }
  }
  const working = work()
  return {
    done,
    async stop() {
      stopping.abort()
      await working
    },
  }
}

async function move(lab: Lab, number: LabNumber): Promise<void> {
  number.laterIds.push(`${number.phoneId}-${number.laterIds.length + 1}`)
  await sleep(UNKNOWN_FOR_MS)
  await untilDone(() => lab.moveNumber(number))
}

/** Removes a user by the provision file or by the API; a repeated call of the API finds no user any more. */
async function leave(lab: Lab, leaver: { orgId: string; userId: string }, random: Random): Promise<void> {
  const { orgId, userId } = leaver
  if (random.chance(0.5)) return untilDone(() => lab.removeUser(orgId, userId))
  await untilDone(async () => {
    const status = await callApi(lab, { orgId, user: 'ann', method: 'DELETE', path: `/users/${userId}` })
    if (status !== 200 && status !== 404) throw new Error(`answered with ${status}`)
  })
}

async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch {
      await sleep(RETRY_MS)
    }
  }
}
