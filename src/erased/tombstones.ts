import { bytea, columns, text, timestamptz } from '../db/columns.ts'
import { nothing, over, rowCount, type Statement } from '../db/statement.ts'

/** Meta delivers a message again for seven days at most; the rest is a margin. PostgreSQL's notation. */
export const TOMBSTONES_KEPT = '30 days'

/** The digest of a wamid or a name that was erased, and when. */
export type Tombstone = { orgId: string; digest: Buffer; erasedAt: Date }

const STONES = columns<Tombstone>({
  org_id: text((t) => t.orgId),
  digest: bytea((t) => t.digest),
  erased_at: timestamptz((t) => t.erasedAt),
})

/** Keeps tombstones; of one that is there already, the later time. */
export function insertTombstones(stones: Tombstone[]): Statement<void> {
  return over(STONES, stones, {
    name: 'insert-tombstones',
    text: `insert into tombstones (${STONES.names}) select distinct ${STONES.names} from ${STONES.as('t')}
      on conflict (org_id, digest) do update set erased_at = greatest(tombstones.erased_at, excluded.erased_at)`,
    read: nothing,
  })
}

const KEYS = columns<Pick<Tombstone, 'orgId' | 'digest'>>({
  org_id: text((t) => t.orgId),
  digest: bytea((t) => t.digest),
})

/** Which of these digests were erased, and when; the keys are the digests in base64. */
export function readTombstones(keys: Pick<Tombstone, 'orgId' | 'digest'>[]): Statement<Map<string, Date>> {
  return over(KEYS, keys, {
    name: 'read-tombstones',
    text: `select t.digest, t.erased_at as "erasedAt" from ${KEYS.as('k')}
      join tombstones t on t.org_id = k.org_id and t.digest = k.digest`,
    read: (rows: { digest: Buffer; erasedAt: Date }[]) =>
      new Map(rows.map(({ digest, erasedAt }) => [digest.toString('base64'), erasedAt])),
  })
}

/** Deletes the tombstones that are not needed any more, a batch at a time. */
export const DROP_TOMBSTONES: Statement<number> = {
  name: 'drop-tombstones',
  text: `with none as (
      update orgs set erased_at = null where erased_at <= now() - interval '${TOMBSTONES_KEPT}')
    delete from tombstones where ctid = any(array(
      select ctid from tombstones where erased_at <= now() - interval '${TOMBSTONES_KEPT}'
      order by erased_at limit 1000 for update skip locked))`,
  values: [],
  read: rowCount,
}
