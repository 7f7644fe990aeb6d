import { type ListName, STUCK, type StuckFilter } from './stuck-query.ts'

/** The button that replays one dead letter. */
export function ReplayButton({ id }: { id: number }) {
  return (
    <form method="post" action={`${STUCK}/${id}/replay`}>
      <button type="submit" aria-label={`Replay delivery ${id}`}>
        Replay
      </button>
    </form>
  )
}

/** The paths and words of runs over all rows of a list that fit its filter. */
const RUNS = {
  dead: { path: 'replay', verb: 'Replay' },
  sends: { path: 'sends/retry', verb: 'Send again' },
} as const

type Props = { list: 'dead' | 'sends'; filter: StuckFilter }

/**
 * The button that replays all dead letters, or sends all failed messages of an org again, that fit the filter. Messages whose
 * outcome is unknown need a tick, and are left out unless this state is chosen.
 */
export function RunButton({ list, filter }: Props) {
  const { path, verb } = RUNS[list]
  const { org, ...rest } = filter
  const isFiltered = Object.values(rest).some((value) => value !== undefined)
  return (
    <form class="bar" method="post" action={`${STUCK}/${path}`}>
      {Object.entries(filter).map(
        ([name, value]) => value !== undefined && <input type="hidden" name={name} value={value} />,
      )}
      {filter.state === 'unknown' && (
        <label>
          <input type="checkbox" name="confirm" value="true" required /> may arrive twice
        </label>
      )}
      <button type="submit">{`${verb} all${isFiltered ? ' that fit' : ''}`}</button>
    </form>
  )
}

/** Whether a list offers a run: dead letters always do, and failed sends if an org is chosen. */
export function hasRuns(list: ListName, { org }: StuckFilter): list is 'dead' | 'sends' {
  return list === 'dead' || (list === 'sends' && org !== undefined)
}
