import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'

/** Times of messages, as PostgreSQL reads them; `until` is exclusive. */
export type OldSpan = { since: string; until: string }

/** Splits the time before `before` where the partitions of the ledger begin, the earliest first. */
export function listOldSpans(db: Db, before: Date): Promise<OldSpan[]> {
  return run(db, {
    name: 'list-old-spans',
    text: `with borders as (
        select to_timestamp(right(c.relname, 6) || '01', 'YYYYMMDD') as at
        from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'messages'::regclass and c.relname ~ '^messages_[0-9]{6}$'
        union select $1::timestamptz)
      select (lag(at, 1, '-infinity') over (order by at))::text as since, at::text as until
      from borders where at <= $1 order by at`,
    values: [before],
    read: (rows: OldSpan[]) => rows,
  })
}
