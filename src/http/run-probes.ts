import { SetupError } from '../config.ts'
import { within } from '../deadline.ts'

/**
 * Something that this process needs: `check` resolves when it works. When a vital one is missing the process is not
 * ready; when any other is missing it is degraded and stays in rotation.
 */
export type Probe = { name: string; check: () => Promise<unknown>; vital: boolean }

/** A failure whose message an operator may read, without being a mistake of the installation. */
export class ReadableError extends Error {
  override name = 'ReadableError'
}

/** A probe, and the error with which it failed, if it did. */
export type Probed = Probe & { failure?: unknown }

const DEADLINE_MS = 1_000

/** Runs all probes at once, each for at most a second. Never rejects. */
export function runProbes(probes: Probe[]): Promise<Probed[]> {
  return Promise.all(
    probes.map(async (probe) => {
      try {
        await within(DEADLINE_MS, probe.check)
        return probe
      } catch (failure) {
        return { ...probe, failure }
      }
    }),
  )
}

/** Those of the probes that failed. */
export function failedOf(probes: Probed[]): Probed[] {
  return probes.filter((probe) => 'failure' in probe)
}

/** What an operator may read about a failure, such as cause and remedy of a mistake; nothing of any other error. */
export function reasonOf({ failure }: Probed): string | undefined {
  return failure instanceof SetupError || failure instanceof ReadableError ? failure.message : undefined
}
