import { setTimeout as sleep } from 'node:timers/promises'
import type { Turns } from '../../src/outbound/choose-pairs.ts'
import type { Claimed } from '../../src/outbound/claim-sends.ts'
import type { Send } from '../../src/outbound/read-send.ts'

export type SendTurns = {
  /** Something may be due: looks for it as soon as a slot is free. */
  wake(): void
  /** Claims nothing more until `resume`. Sends under way go on. */
  pause(): void
  resume(): void
  /** Claims nothing more, and resolves when the sends under way have ended. */
  close(): Promise<void>
}

type Parts = {
  claim: (turns: Omit<Turns, 'unusable'>) => Promise<Claimed>
  /** Must not reject. */
  send: (send: Send) => Promise<void>
  /** Sends that this process may have under way. */
  slots: number
  slotsOfOrg: number
  onError: (error: unknown) => void
}

/** A pair that becomes due while nobody wakes the senders (its rate, its back-off, a wake that got lost) waits so long. */
const LOOK_EVERY_MS = 1_000
const RETRY_MS = 500

/**
 * Takes sends by turns from the outbox: whenever it is woken, a slot becomes free, or a second has passed. One claim at a
 * time takes as many sends as there are free slots. Begins paused.
 */
export function createSendTurns({ claim, send, slots, slotsOfOrg, onError }: Parts): SendTurns {
  const underWay = new Map<Promise<void>, Send>()

  function start(one: Send): void {
    const work = send(one).finally(() => {
      underWay.delete(work)
      looker.wake()
    })
    underWay.set(work, one)
  }
  async function claimOnce(): Promise<boolean> {
    const free = slots - underWay.size
    if (free === 0) return false
    const { sends, looked } = await claim({ slots: free, slotsOfOrg, underWay: [...underWay.values()] })
    for (const one of sends) start(one)
    return looked > 0
  }
  const looker = createLooker(claimOnce, onError)
  return {
    ...looker,
    async close() {
      looker.pause()
      await looker.rest()
      while (underWay.size > 0) await Promise.all(underWay.keys())
    },
  }
}

/**
 * Calls `look` when it is woken and each second, one call at a time, and again at once while it resolves with true: there
 * may be more. Begins paused.
 */
function createLooker(look: () => Promise<boolean>, onError: (error: unknown) => void) {
  let isPaused = true
  let isWoken = false
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  async function lookWhileWoken(): Promise<void> {
    clearTimeout(timer)
    while (isWoken && !isPaused) {
      isWoken = false
      try {
        isWoken = (await look()) || isWoken
      } catch (error) {
        onError(error)
        await sleep(RETRY_MS)
      }
    }
    looking = undefined
    if (!isPaused) timer = setTimeout(wake, LOOK_EVERY_MS)
  }
  function wake(): void {
    isWoken = true
    if (!isPaused) looking ??= lookWhileWoken()
  }
  return {
    wake,
    pause() {
      isPaused = true
      clearTimeout(timer)
    },
    resume() {
      isPaused = false
      wake()
    },
    /** Resolves when no call is in progress. */
    rest: async () => looking,
  }
}
