import type { Response } from 'express'
import type { Pages } from './answer.ts'

/** JSON values, one a line. */
export const NDJSON = 'application/x-ndjson'

/**
 * Answers pages as NDJSON. A page is read when the client has taken the one before, and none is read after the client has
 * gone.
 * @throws what the reading throws; nothing has been answered if that is the first page
 */
export async function sendLines(res: Response, pages: Pages): Promise<void> {
  for await (const page of pages) {
    if (res.destroyed) return
    if (!res.headersSent) res.type(NDJSON)
    const isTaken = res.write(page.map((line) => `${JSON.stringify(line)}\n`).join(''))
    if (!isTaken) await takenOrGone(res)
  }
  res.end()
}

/** Resolves when the client has taken what was written, or has gone. */
function takenOrGone(res: Response): Promise<void> {
  return new Promise((resolve) => {
    if (res.destroyed) return resolve()
    const end = () => {
      res.off('drain', end).off('close', end)
      resolve()
    }
    res.on('drain', end).on('close', end)
  })
}
