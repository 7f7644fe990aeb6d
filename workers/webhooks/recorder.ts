import type { Progress, Standing } from '../../src/event-push/record-progress.ts'

type Waiting = { progress: Progress; resolve(standing: Standing): void; reject(error: unknown): void }

/** Group commit for the progress of lanes: what comes while one record is being written is written by the next. */
export function createRecorder(
  write: (all: Progress[]) => Promise<Standing[]>,
): (progress: Progress) => Promise<Standing> {
  let waiting: Waiting[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
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
