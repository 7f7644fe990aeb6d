import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves with true as soon as the condition holds, with false when it does not within that time. */
export async function becomesTrue(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
): Promise<boolean> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(50)) {
    if (await condition()) return true
  }
  return condition()
}
