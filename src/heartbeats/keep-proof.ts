import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from '../config.ts'

const PROVE_EVERY_MS = 60_000
/** Until a proof succeeds. */
const PROVE_SOON_MS = 2_000

export type Proof = {
  /** @throws the SetupError of the last proof that came to an end, or Error before the first. */
  expect(): Promise<void>
  stop(): void
}

/**
 * Proves something every minute in the background, from now on. While it cannot be proven or refuted, as when a store is
 * away, the last outcome stands.
 * @param prove rejects with a SetupError for a mistake of the installation
 */
export function keepProof(prove: () => Promise<unknown>): Proof {
  const stopped = new AbortController()
  let failure: Error | undefined = new Error('it is not proven yet')
  const keep = async () => {
    while (!stopped.signal.aborted) {
      await prove().then(
        () => {
          failure = undefined
        },
        (error) => {
          if (error instanceof SetupError) failure = error
        },
      )
      const wait = failure ? PROVE_SOON_MS : PROVE_EVERY_MS
      await sleep(wait, undefined, { signal: stopped.signal }).catch(() => undefined)
    }
  }
  void keep()
  return {
    expect: async () => {
      if (failure) throw failure
    },
    stop: () => stopped.abort(),
  }
}
