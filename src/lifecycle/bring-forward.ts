import type { Db } from '../db/client.ts'
import { rowCount, run } from '../db/statement.ts'
import { ACTIVITY_DAY, DEACTIVATION_MAY_BE_DUE } from '../rules/lifecycle.ts'
import { BATCH } from './sweep-in-batches.ts'

/**
 * Brings `activity_day` up to date in the chatrooms that look due by it although their customers have written since.
 * Routing does not write `activity_day`, so that a message changes no index; this sweep then reads each chatroom once
 * in `inactivity_days`. Chatrooms that another transaction has locked are left to the next run.
 * @param at the time to judge by; undefined: the database's clock
 * @throws what a batch throws; the batches before it stay
 */
export async function bringActivityForward(db: Db, at: Date | undefined): Promise<void> {
  for (let moved = BATCH; moved === BATCH; ) moved = await moveBatch(db, at)
}

function moveBatch(db: Db, at: Date | undefined): Promise<number> {
  return run(db, {
    name: 'bring-activity-forward',
    text: `with stale as materialized (
        select p.* from (select * from orgs where inactivity_days is not null order by id offset 0) o
        cross join lateral (
          select r.org_id, r.id from chatrooms r
          where r.org_id = o.id and ${DEACTIVATION_MAY_BE_DUE} and r.activity_day < ${ACTIVITY_DAY}
          order by r.activity_day, r.id limit ${BATCH} for no key update skip locked) p
        limit ${BATCH})
      update chatrooms r set activity_day = ${ACTIVITY_DAY} from stale
      where r.org_id = stale.org_id and r.id = stale.id`,
    values: [at],
    read: rowCount,
  })
}
