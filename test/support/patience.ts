import { createHash } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** How many bytes `slowness` hashes, and how long that takes on a quiet core of 2026. */
const WORK_BYTES = 8 * 1024 * 1024
const WORK_MS = 10
const SLOWEST = 10

const PAUSE_MS = 20

/**
 * How many times slower than a quiet machine this one is now, from 1 to 10: by the time of a fixed piece of CPU work,
 * or by the number of processes that want a core, whichever says more. Measured before each test file.
 */
export let SLOWNESS: number

/**
 * How long a test waits for a thing that must happen. Only a test that fails waits so long, so the time is generous.
 * A test has a shorter bound of its own only where that bound is the promise it tests, and says so there.
 */
export let PATIENCE_MS: number

/** What a whole test or hook may take: several waits, one after another. FAULT_ROUNDS multiplies what a test does. */
export let TEST_MS: number

/** Measures the machine again: one that became busy gets more patience. */
export function measureSlowness(): void {
  SLOWNESS = slowness()
  PATIENCE_MS = 60_000 * SLOWNESS
  TEST_MS = 3 * PATIENCE_MS * Number(process.env.FAULT_ROUNDS ?? 1)
}

measureSlowness()

/**
 * Repeats `check` until it neither throws nor gives false, and resolves with what it gave. Use `expect.poll` for a
 * single value in a test; this is for several expectations at once, and for helpers that run outside of a test.
 * @throws the last error of `check` when `PATIENCE_MS` are over.
 */
export async function eventually<T>(check: () => T | Promise<T>): Promise<Exclude<T, false>> {
  for (const end = performance.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    try {
      const value = await check()
      if (value !== false) return value as Exclude<T, false>
      if (performance.now() > end) throw new Error(`not so within ${PATIENCE_MS} ms: ${check}`)
    } catch (error) {
      if (performance.now() > end) throw error
    }
  }
}

function slowness(): number {
  const began = performance.now()
  createHash('sha256').update(Buffer.alloc(WORK_BYTES)).digest()
  const byWork = (performance.now() - began) / WORK_MS
  const byLoad = (loadavg()[0] ?? 0) / availableParallelism()
  return Math.min(SLOWEST, Math.max(1, byWork, byLoad))
}
