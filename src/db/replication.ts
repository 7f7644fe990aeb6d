import type { Db } from './client.ts'
import { run } from './statement.ts'

/**
 * What becomes of commits when this server is lost and a standby takes over: `synchronous`: a commit that was waited for
 * is on a standby; `asynchronous`: standbys may lag, so it can be lost; `none`: no standby is connected.
 */
export type Replication = 'none' | 'asynchronous' | 'synchronous'

/** SQL: the `Replication` of the server. Every role may read it; a logical subscriber counts as a standby. */
export const REPLICATION = `case
  when current_setting('synchronous_standby_names') <> '' then 'synchronous'
  when exists (select from pg_stat_get_wal_senders()) then 'asynchronous'
  else 'none' end`

/** Asks the server for its replication, as of now. */
export function readReplication(db: Db): Promise<Replication> {
  return run(db, {
    name: 'read-replication',
    text: `select ${REPLICATION} as replication`,
    values: [],
    read: ([row]: { replication: Replication }[]) => row?.replication ?? 'none',
  })
}
