import type { Db } from '../db/client.ts'
import { readHeartbeats } from './read-heartbeats.ts'

/** A canary is due every 30 s: this long without an answer, three were lost or nobody works. */
const SILENT_SECONDS = 90

/**
 * Checks that each queue answered a canary within 90 s.
 * @param upSeconds how long this process has been up: before 90 s it cannot blame anybody
 * @throws Error naming the queues that are silent, or what the database says.
 */
export async function expectCanaries(db: Db, upSeconds: number): Promise<void> {
  if (upSeconds <= SILENT_SECONDS) return
  const { canaries } = await readHeartbeats(db)
  const silent = Object.entries(canaries).filter(([, age]) => age === null || age > SILENT_SECONDS)
  if (silent.length > 0)
    throw new Error(`no canary came through: ${silent.map(([queue]) => queue).join(', ')}`)
}
