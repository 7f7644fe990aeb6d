import type { ListedRun } from '../../bulk-runs/list-runs.ts'
import { count } from '../ui/format.ts'
import { Moment } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import { AGE_NAMES } from './filter-form.tsx'
import { MAX_TOTAL } from './search.ts'
import { STUCK } from './stuck-query.ts'

/** A run and, of a replay, what has become of its deliveries. */
export type ShownRun = ListedRun & { waiting: number; deadAgain: number }

type Props = { runs: ShownRun[]; done: 'replayed' | 'sent again'; readOnly: boolean }

/** How far runs are that change many rows. With JavaScript it refreshes itself while one is at work. */
export function Runs({ runs, done, readOnly }: Props) {
  if (runs.length === 0) return null
  const isBusy = runs.some(({ state, waiting }) => state === 'running' || waiting > 0)
  return (
    <section id="runs" aria-label="Runs" data-busy={isBusy ? '' : undefined}>
      {runs.map((run) => (
        <div class="banner">
          <div role="status">
            <p>
              <b>
                {stateOf(run)}: {count(run.done)}
                {totalOf(run)} {done}
              </b>
              <Outcomes run={run} />
            </p>
          </div>
          <progress
            aria-label={`Rows ${done}`}
            max={Math.max(1, run.total ?? 0, run.done)}
            value={run.done}
          />
          <p class="dim">
            Begun <Moment at={run.startedAt} /> by {run.actor}
            {filterText(run)}
          </p>
          {!readOnly && <RunButtons run={run} />}
        </div>
      ))}
    </section>
  )
}

const STATES = {
  running: 'At work',
  stalled: 'It stands still, because its process ended',
  finished: 'Finished',
  stopped: 'Ended by an operator',
} as const

const stateOf = ({ state }: ShownRun) => STATES[state]
/** Behind the number of rows that are done: of how many, as far as that was counted. */
function totalOf({ total }: ShownRun): string {
  if (total === null) return ''
  return ` of ${total > MAX_TOTAL ? `${count(MAX_TOTAL)}+` : count(total)}`
}

function Outcomes({ run: { refused, waiting, deadAgain } }: { run: ShownRun }) {
  const reasons = Object.entries(refused).map(([reason, times]) => `${count(times)} refused: ${reason}`)
  const parts = [
    ...(waiting > 0 ? [`${count(waiting)} waiting for a worker`] : []),
    ...(deadAgain > 0 ? [`${count(deadAgain)} dead again`] : []),
    ...reasons,
  ]
  return <>{parts.map((part) => `; ${part}`)}</>
}

function filterText({ orgId, filter: { number, reason, age, state } }: ShownRun): string {
  const parts = [
    ...(orgId ? [`org ${orgId}`] : []),
    ...(number ? [`number ${formatPhone(number)}`] : []),
    ...(reason ? [`reason contains “${reason}”`] : []),
    ...(age ? [`${AGE_NAMES[age as keyof typeof AGE_NAMES].toLowerCase()} old`] : []),
    ...(state ? [state] : []),
  ]
  return parts.map((part) => `, ${part}`).join('')
}

/** A run that stands still goes on where it stood; one that is not ended can be ended. */
function RunButtons({ run: { id, state } }: { run: ShownRun }) {
  if (state === 'finished' || state === 'stopped') return null
  return (
    <div class="bar">
      {state === 'stalled' && (
        <form method="post" action={`${STUCK}/runs/${id}/continue`}>
          <button type="submit">Go on with it</button>
        </form>
      )}
      <form method="post" action={`${STUCK}/runs/${id}/end`}>
        <button type="submit">End it</button>
      </form>
    </div>
  )
}
