import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'

/** How many messages of all orgs wait for a chatroom. The count stops at 10,000. */
export function countHeld(db: Db): Promise<number> {
  return run(db, {
    name: 'console-count-held',
    text: `select count(*)::int as held from (
        select from messages where route = 'held' and chatroom_id is null limit 10000) h`,
    values: [],
    read: ([row]: { held: number }[]) => row?.held ?? 0,
  })
}
