import type { Db } from '../db/client.ts'
import { firstRow, nothing, rowCount, run, type Statement } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { readOrgTables } from './org-tables.ts'
import { beat, noteProgress } from './progress.ts'
import type { RunKey } from './start-run.ts'

/** Rows that a step deletes: few enough that the statement takes some ten milliseconds. */
const BATCH = 1_000
/** Requests that were admitted before the org was closed have ended by then: a statement ends after 10 s. */
const CLOSED_MS = 12_000
/** A transaction that is older than the closing, such as a dump, is waited for no longer than this. */
const PATIENCE_MS = 60_000

/** `isWaiting`: there was nothing to do but to wait. */
type Step = { goesOn: boolean; deleted: number; isWaiting?: boolean }

/**
 * Deletes the next rows of an org that is closed (`src/org-deletion/close-org.ts`), table by table, in one transaction with
 * the progress; so a process that dies loses one step, and the next one goes on with what is left. When no table has rows of
 * the org any more, and nobody who knew the org from before can write, the org itself goes, and the run is finished.
 * @param closedMs for how long the org must have been closed before it goes
 */
export function deleteStep(db: Db, key: RunKey, closedMs = CLOSED_MS): Promise<Step> {
  return inTransaction(db, async (tx) => {
    const open = await run(tx, beat(key))
    if (open?.orgId == null) return { goesOn: false, deleted: 0 }
    const tables = await run(tx, readOrgTables())
    const [at = 0] = (open.place ?? []) as number[]
    const table = tables[at]
    if (table === undefined) return end(tx, key, { orgId: open.orgId, tables, closedMs })
    const deleted = await run(tx, deleteRows(table, open.orgId))
    const next = deleted < BATCH ? at + 1 : at
    await run(tx, noteProgress(key, { done: deleted, place: [next, tables.length], isLast: false }))
    return { goesOn: true, deleted }
  })
}

type Ending = { orgId: string; tables: string[]; closedMs: number }

async function end(tx: Db, key: RunKey, { orgId, tables, closedMs }: Ending): Promise<Step> {
  const place = (next: number) => [next, tables.length]
  if (!(await run(tx, isLeftAlone(orgId, closedMs)))) {
    await run(tx, noteProgress(key, { done: 0, place: place(tables.length), isLast: false }))
    return { goesOn: true, deleted: 0, isWaiting: true }
  }
  for (const [i, table] of tables.entries()) {
    if (!(await run(tx, hasRows(table, orgId)))) continue
    await run(tx, noteProgress(key, { done: 0, place: place(i), isLast: false }))
    return { goesOn: true, deleted: 0 }
  }
  await run(tx, deleteOrg(orgId, key.id))
  await run(tx, noteProgress(key, { done: 0, place: place(tables.length), isLast: true }))
  return { goesOn: false, deleted: 0 }
}

/** The index that begins with the org finds the rows; `ctid` names each of them for as long as the statement runs. */
function deleteRows(table: string, orgId: string): Statement<number> {
  return {
    text: `delete from ${table} where org_id = $1
      and ctid = any(array(select ctid from ${table} where org_id = $1 limit ${BATCH}))`,
    values: [orgId],
    read: rowCount,
  }
}

function hasRows(table: string, orgId: string): Statement<boolean> {
  return {
    text: `select from ${table} where org_id = $1 limit 1`,
    values: [orgId],
    read: (_rows, count) => count > 0,
  }
}

/** Whether the org was closed so long ago that no request knows it, and no transaction is older than that. */
function isLeftAlone(orgId: string, closedMs: number): Statement<boolean> {
  return {
    text: `select now() >= o.deleting_at + $2 * interval '1 millisecond'
        and (now() >= o.deleting_at + interval '${PATIENCE_MS} milliseconds' or not exists (
          select from pg_stat_activity a
          where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start <= o.deleting_at)) as alone
      from orgs o where o.id = $1`,
    values: [orgId, closedMs],
    read: (rows: { alone: boolean }[]) => firstRow(rows)?.alone ?? false,
  }
}

function deleteOrg(orgId: string, runId: string): Statement<void> {
  return {
    text: `with others as (delete from bulk_runs where org_id = $1 and id <> $2) delete from orgs where id = $1`,
    values: [orgId, runId],
    read: nothing,
  }
}
