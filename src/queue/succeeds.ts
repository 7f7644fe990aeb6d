import { within } from '../deadline.ts'

/** Whether `work` succeeds within `ms` milliseconds. Never rejects; the work itself is not stopped. */
export async function succeeds(ms: number, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await within(ms, work)
    return true
  } catch {
    return false
  }
}
