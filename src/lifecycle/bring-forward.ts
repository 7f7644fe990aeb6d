import type { Db } from '../db/client.ts'
import { ACTIVITY_DAY, DEACTIVATION_MAY_BE_DUE } from '../rules/lifecycle.ts'
import { BATCH } from './sweep-in-batches.ts'

/**
 * Brings `activity_day` forward where customers have written since: routing leaves it behind, so that a message
 * touches no index, and each chatroom is looked at here once in `inactivity_days`, not with every message. Whom
 * somebody else holds is left to the next run.
 * @param at the time to judge by; undefined = the database's clock
 * @throws what a batch throws; the batches before it stay.
 */
export async function bringActivityForward(db: Db, at: Date | undefined): Promise<void> {
  for (let moved = BATCH; moved === BATCH; ) moved = await moveBatch(db, at)
}

async function moveBatch(db: Db, at: Date | undefined): Promise<number> {
  const { rowCount } = await db.$client.query({
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
  })
  return rowCount ?? 0
}
