import { setTimeout as sleep } from 'node:timers/promises'

/** Looks every few seconds, at random, so that processes do not look all at once. A failure is reported. */
export function lookAgainAndAgain(
  look: () => Promise<void>,
  everyMs: number,
  onError: (error: unknown) => void,
): { pause(): void; resume(): void } {
  let stopped: AbortController | undefined
  const run = async ({ signal }: AbortController) => {
    while (!signal.aborted) {
      await look().catch(onError)
      await sleep(everyMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined)
    }
  }
  return {
    pause() {
      stopped?.abort()
      stopped = undefined
    },
    resume() {
      if (stopped) return
      stopped = new AbortController()
      void run(stopped)
    },
  }
}
