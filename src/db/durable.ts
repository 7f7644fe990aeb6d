import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from './client.ts'
import { sqlState } from './pg-errors.ts'
import { nothing, run, type Statement } from './statement.ts'

/**
 * Resolves when everything that this process has read from the database until now is on the disk, and on the disks of
 * synchronous standbys. Nothing that was read may leave Usher earlier: routing commits without waiting for the disk, so a
 * crash of PostgreSQL can undo its last 0.6 s, and routing again gives other ids. An idle server has everything on the
 * disk already, which takes one query to learn; a busy one flushes, together with the commits of others.
 * @throws Error when the disk does not follow in time
 */
export async function awaitDurable(db: Db): Promise<void> {
  const { isPending, position } = await run(db, READ_PENDING)
  if (!isPending) return
  if (await mayFlush(db)) return flushing(db, () => run(db, FLUSH))
  // PostgreSQL itself writes what was committed to the disk, three times `wal_writer_delay` (0.2 s) later at the latest.
  for (let polls = 0; polls < MAX_POLLS; polls += 1) {
    if (await run(db, isFlushed(position))) return
    await sleep(POLL_MS)
  }
  throw new Error('what was read is not on the disk of the database yet')
}

const POLL_MS = 50
const MAX_POLLS = 60

/** The smallest write that PostgreSQL waits for the disk for, and so for all that was committed before it. */
export const FLUSH: Statement<void> = {
  name: 'flush',
  text: `select pg_logical_emit_message(true, 'usher', '')`,
  values: [],
  read: nothing,
}

type Pending = { isPending: boolean; position: string }

/** A commit is visible after it was inserted into the log, so all that was read lies before the position. */
const READ_PENDING: Statement<Pending> = {
  name: 'read-pending',
  text: `select pg_current_wal_insert_lsn() as position,
    pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()
      or current_setting('synchronous_standby_names') <> '' as "isPending"`,
  values: [],
  read: (rows: Pending[]) => rows[0] ?? { isPending: true, position: '0/0' },
}

function isFlushed(position: string): Statement<boolean> {
  return {
    name: 'is-flushed',
    text: 'select pg_current_wal_flush_lsn() >= $1::pg_lsn as flushed',
    values: [position],
    read: (rows: { flushed: boolean }[]) => rows[0]?.flushed ?? false,
  }
}

const rights = new WeakMap<object, Promise<boolean>>()

/** Whether the role of this pool may run `FLUSH`. It is asked once, and again after PostgreSQL refused a flush. */
export function mayFlush(db: Db): Promise<boolean> {
  const known = rights.get(db.$client)
  if (known) return known
  const asked = run(db, READ_RIGHT)
  rights.set(db.$client, asked)
  asked.catch(() => rights.delete(db.$client))
  return asked
}

/** Runs `work`, which holds `FLUSH`; when PostgreSQL refuses it, `mayFlush` asks again. */
export async function flushing<T>(db: Db, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (sqlState(error) === INSUFFICIENT_PRIVILEGE) rights.delete(db.$client)
    throw error
  }
}

const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * SQL: whether the role may run `FLUSH`. PostgreSQL 17 gave the function a fourth parameter, so it is found by its name
 * and the type of its third.
 */
export const MAY_FLUSH = `select bool_or(has_function_privilege(oid, 'execute')) as may from pg_proc
  where pronamespace = 'pg_catalog'::regnamespace and proname = 'pg_logical_emit_message'
    and proargtypes[2] = 'text'::regtype`

const READ_RIGHT: Statement<boolean> = {
  name: 'read-right-to-flush',
  text: MAY_FLUSH,
  values: [],
  read: (rows: { may: boolean | null }[]) => rows[0]?.may === true,
}
