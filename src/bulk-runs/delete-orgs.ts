import { setTimeout as sleep } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../db/client.ts'
import { firstRow, run } from '../db/statement.ts'
import { deleteStep } from './delete-step.ts'
import { STALLED_S } from './stalled.ts'
import type { RunKey } from './start-run.ts'

/** Between two steps, so that the deletion of an org takes a small part of the database's time. */
const PAUSE_MS = 20
/** Between two looks whether the org may go. */
const WAIT_MS = 1_000

/**
 * Deletes the orgs whose deletion somebody has asked for, one after another, until none is left that no other process works
 * on. A deletion that a process has left is taken up after 15 s, by whichever process looks next.
 * @returns the number of rows that were deleted
 */
export async function deleteOrgs(
  db: Db,
  onProgress: (done: number) => unknown = () => undefined,
  closedMs?: number,
): Promise<number> {
  let done = 0
  for (let key = await takeNext(db); key; key = await takeNext(db)) {
    for (let goesOn = true; goesOn; ) {
      const step = await deleteStep(db, key, closedMs)
      goesOn = step.goesOn
      done += step.deleted
      await onProgress(done)
      if (goesOn) await sleep(step.isWaiting ? WAIT_MS : PAUSE_MS)
    }
  }
  return done
}

function takeNext(db: Db): Promise<RunKey | undefined> {
  return run(db, {
    text: `update bulk_runs set runner = $1, beat_at = now()
      where id = (select id from bulk_runs where kind = 'delete' and ended_at is null
          and beat_at < now() - interval '${STALLED_S} seconds'
        order by created_at limit 1 for update skip locked)
      returning id, runner`,
    values: [uuidv7()],
    read: firstRow<RunKey>,
  })
}
