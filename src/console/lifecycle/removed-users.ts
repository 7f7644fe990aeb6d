import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A user who left, and the chatrooms that were taken from the user so far; `isReleased`: there are no more. */
export type RemovedUser = {
  orgId: string
  id: string
  name: string
  since: Date
  chatrooms: number
  isReleased: boolean
}

const MAX_USERS = 50

/** The 50 users who left last, of these orgs or of all. */
export function listRemovedUsers(db: Db, orgIds: readonly string[] | undefined): Promise<RemovedUser[]> {
  return run(db, {
    name: 'console-removed-users',
    text: `select org_id as "orgId", id, name, removed_at as since, released_chatrooms as chatrooms,
        released_at is not null as "isReleased"
      from users where removed_at is not null and ($1::text[] is null or org_id = any($1))
      order by removed_at desc, org_id, id limit ${MAX_USERS}`,
    values: [orgIds],
    read: allRows<RemovedUser>,
  })
}
