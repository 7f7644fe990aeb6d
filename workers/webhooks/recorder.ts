import { setTimeout as sleep } from 'node:timers/promises'
import type { Progress, Standing } from '../../src/event-push/record-progress.ts'

type Waiting = { progress: Progress; resolve(standing: Standing): void; reject(error: unknown): void }

/**
 * Group commit for the progress of lanes: what comes within `windowMs` of the first, or while a record is being written, is
 * written together. A transaction for one lane costs as much as one for ten.
 */
export function createRecorder(
  write: (all: Progress[]) => Promise<Standing[]>,
  windowMs: number,
): (progress: Progress) => Promise<Standing> {
  let waiting: Waiting[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      await sleep(windowMs)
      const batch = waiting
      waiting = []
      try {
        const standings = await write(batch.map(({ progress }) => progress))
        for (const [i, { resolve }] of batch.entries()) resolve(standings[i] ?? 'lost')
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isWriting = false
  }
  return (progress) =>
    new Promise((resolve, reject) => {
      waiting.push({ progress, resolve, reject })
      if (!isWriting) void writeAll()
    })
}
