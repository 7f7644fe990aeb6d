import type { Db } from '../db/client.ts'
import { run, type Statement } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { REPLAYED } from '../inbox/replay-dead-letters.ts'
import { type Age, ageSql, ageValues } from '../rules/age.ts'
import { beat, noteProgress, type OpenRun } from './progress.ts'
import type { RunKey } from './start-run.ts'

/** Dead letters that a step makes new, and that it looks at. */
const BATCH = 100
const SEARCHED = 1_000
/** With more deliveries waiting for a worker, the run waits too, so that fresh deliveries never wait behind old ones. */
const MAX_WAITING = 500

type Next = { ids: number[]; place: number | null }

/**
 * Makes the next dead letters of a run new, in one transaction with its progress: oldest first, each once in the run, also
 * when it dies again meanwhile. Does nothing while many deliveries wait for a worker. The caller enqueues the deliveries;
 * `requeueStranded` finds those that nobody enqueues.
 * @returns the ids of the deliveries, and whether the run goes on
 */
export async function replayStep(db: Db, key: RunKey): Promise<{ ids: number[]; goesOn: boolean }> {
  const isBusy = (await run(db, COUNT_WAITING)) > MAX_WAITING
  return inTransaction(db, async (tx) => {
    const open = await run(tx, beat(key))
    if (!open) return { ids: [], goesOn: false }
    if (isBusy) return { ids: [], goesOn: true }
    const { ids, place } = await run(tx, replayNext(open))
    const isLast = place === null
    await run(tx, noteProgress(key, { done: ids.length, place: [place ?? Number(open.lastId)], isLast }))
    return { ids, goesOn: !isLast }
  })
}

const COUNT_WAITING: Statement<number> = {
  name: 'count-waiting-deliveries',
  text: `select count(*)::int as waiting from (
      select from inbox where state = 'new' order by due_at limit ${MAX_WAITING + 1}) w`,
  values: [],
  read: ([row]: { waiting: number }[]) => row?.waiting ?? 0,
}

function replayNext({ filter: { reason, age }, place, lastId, startedAt }: OpenRun): Statement<Next> {
  const [after = 0] = place ?? []
  return {
    name: 'replay-step',
    text: `with searched as (
        select id, ($3::text is null or position(lower($3) in lower(error)) > 0)
          and ${ageSql('received_at', ['$4', '$5'], '$6::timestamptz')} as fits
        from inbox where state = 'dead' and id > $1 and id <= $2 order by id limit ${SEARCHED}),
      picked as (select id from searched where fits order by id limit ${BATCH}),
      replayed as (
        update inbox set ${REPLAYED} where id = any(array(select id from picked)) and state = 'dead' returning id)
      select array(select id from replayed order by id) as ids,
        case when (select count(*) from picked) = ${BATCH} then (select max(id) from picked)
          when (select count(*) from searched) = ${SEARCHED} then (select max(id) from searched) end as place`,
    values: [after, lastId, reason, ...ageValues(age as Age | undefined), startedAt],
    read: ([row]: { ids: string[]; place: string | null }[]) => ({
      ids: row?.ids.map(Number) ?? [],
      place: row?.place == null ? null : Number(row.place),
    }),
  }
}
