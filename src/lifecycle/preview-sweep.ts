import type { Db } from '../db/client.ts'
import { nothing, type Statement, send } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { DEACTIVATION_IS_DUE, EXPIRY_IS_DUE } from '../rules/lifecycle.ts'
import type { Changes, OrgChanges } from './changes.ts'

/** As of a far future all rows are due: counting ten million takes longer than other statements may. */
const DEADLINE_MS = 600_000

/**
 * Counts what a sweep would change in each org; only reads. A chatroom that would expire is not counted as deactivated.
 * @param at the time to judge by; undefined: the database's clock
 * @throws Error when it takes more than 10 minutes
 */
export async function previewSweep(db: Db, at: Date | undefined): Promise<Changes> {
  return inTransaction(db, async (tx) => {
    const [, changes] = await send(tx, [READ_ONLY, countDue(at)])
    return changes
  })
}

const READ_ONLY: Statement<void> = {
  text: `set transaction read only; set local statement_timeout = ${DEADLINE_MS}`,
  values: [],
  read: nothing,
}

function countDue(at: Date | undefined): Statement<Changes> {
  return {
    name: 'preview-sweep',
    timeoutMs: DEADLINE_MS,
    text: `select o.id as "orgId", e.contacts as "contactsExpired", e.chatrooms as "chatroomsExpired",
        d.chatrooms as "chatroomsDeactivated"
      from orgs o
      cross join lateral (
        select count(*)::int as contacts, coalesce(sum(rooms.n), 0)::int as chatrooms
        from contacts c
        cross join lateral (
          select count(*) as n from chatrooms r
          where r.org_id = c.org_id and r.contact_id = c.id and r.expired_at is null) rooms
        where c.org_id = o.id and ${EXPIRY_IS_DUE}) e
      cross join lateral (
        select count(*)::int as chatrooms
        from chatrooms r
        cross join lateral (
          select * from contacts c where c.org_id = r.org_id and c.id = r.contact_id offset 0) c
        where r.org_id = o.id and ${DEACTIVATION_IS_DUE}) d
      where e.contacts > 0 or d.chatrooms > 0
      order by o.id`,
    values: [at],
    read: (rows: (OrgChanges & { orgId: string })[]) =>
      new Map(rows.map(({ orgId, ...counts }) => [orgId, counts])),
  }
}
