import { type ListedRun, listRuns } from '../../bulk-runs/list-runs.ts'
import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'
import { type Age, ageSql, ageValues } from '../../rules/age.ts'
import type { ShownRun } from './runs-view.tsx'
import { MAX_TOTAL } from './search.ts'
import type { ListName } from './stuck-query.ts'

type Progress = Pick<ShownRun, 'waiting' | 'deadAgain'>
const NONE: Progress = { waiting: 0, deadAgain: 0 }

/** The latest runs over a list; of the latest replay, also what has become of its deliveries. Other lists have no runs. */
export async function readRuns(db: Db, list: ListName, orgIds: string[]): Promise<ShownRun[]> {
  if (list !== 'sends' && list !== 'dead') return []
  const runs = await listRuns(db, list === 'sends' ? 'retry' : 'replay', orgIds)
  const [latest] = runs
  const progress = latest && list === 'dead' ? await progressOf(db, latest) : NONE
  return runs.map((one) => ({ ...one, ...(one === latest ? progress : NONE) }))
}

/**
 * How many deliveries up to the place of a replay wait for a worker, and how many dead letters fit its filter there: each of
 * them was replayed, so they died again. Both counts look at 10,000 rows at most.
 */
function progressOf(db: Db, { place, filter: { reason, age }, startedAt }: ListedRun): Promise<Progress> {
  const [last = 0] = place ?? []
  return run(db, {
    name: 'console-run-progress',
    text: `select (select count(*) from (
          select id from inbox where state = 'new' order by due_at limit ${MAX_TOTAL}) w where id <= $1)::int as waiting,
        (select count(*) from (
          select error, received_at from inbox where state = 'dead' and id <= $1 order by id limit ${MAX_TOTAL}) d
        where ($2::text is null or position(lower($2) in lower(error)) > 0)
          and ${ageSql('received_at', ['$3', '$4'], '$5::timestamptz')})::int as "deadAgain"`,
    values: [last, reason, ...ageValues(age as Age | undefined), startedAt],
    read: ([row]: Progress[]) => row ?? NONE,
  })
}
