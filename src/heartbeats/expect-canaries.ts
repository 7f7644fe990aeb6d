import type { Db } from '../db/client.ts'
import { readHeartbeats } from './read-heartbeats.ts'

/** A canary is enqueued every 30 s. After so long, three were lost in a row, or no worker runs. */
const SILENT_SECONDS = 90

/**
 * Checks that each queue answered a canary within 90 s.
 * @param upSeconds how long this process has run; before 90 s it accepts a missing answer
 * @throws Error that names the queues without an answer, or what the database says.
 */
export async function expectCanaries(db: Db, upSeconds: number): Promise<void> {
  if (upSeconds <= SILENT_SECONDS) return
  const { canaries } = await readHeartbeats(db)
  const silent = Object.entries(canaries).filter(([, age]) => age === null || age > SILENT_SECONDS)
  if (silent.length > 0)
    throw new Error(`no canary was answered in: ${silent.map(([queue]) => queue).join(', ')}`)
}
