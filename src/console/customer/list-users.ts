import type { Db } from '../../db/client.ts'
import { allRows, run } from '../../db/statement.ts'

/** A user who can have a chatroom. */
export type UserName = { id: string; name: string }

const MAX_USERS = 200

/** The first 200 users of the org by name. */
export function listUsers(db: Db, orgId: string): Promise<UserName[]> {
  return run(db, {
    name: 'console-users',
    text: `select id, name from users where org_id = $1 and removed_at is null
      order by lower(name), id limit ${MAX_USERS}`,
    values: [orgId],
    read: allRows<UserName>,
  })
}
