import type { Db } from '../../db/client.ts'
import { run, type Statement } from '../../db/statement.ts'

const MAX_COUNT = 10_000

/** How many messages of these orgs, or of all, wait for a chatroom. The count stops at 10,000. */
export function countHeld(db: Db, orgIds: readonly string[] | undefined): Promise<number> {
  return run(db, orgIds === undefined ? COUNT_ALL : countOf(orgIds))
}

const read = ([row]: { held: number }[]) => row?.held ?? 0

const COUNT_ALL: Statement<number> = {
  name: 'console-count-held',
  text: `select count(*)::int as held from (
      select from messages where route = 'held' and chatroom_id is null limit ${MAX_COUNT}) h`,
  values: [],
  read,
}

const countOf = (orgIds: readonly string[]): Statement<number> => ({
  name: 'console-count-held-of-orgs',
  text: `select least(count(*), ${MAX_COUNT})::int as held from unnest($1::text[]) as o(id)
    cross join lateral (
      select from messages m where m.org_id = o.id and m.route = 'held' and m.chatroom_id is null limit ${MAX_COUNT}) h`,
  values: [orgIds],
  read,
})
