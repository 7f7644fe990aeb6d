import { count } from '../ui/format.ts'
import type { ReplayProgress } from './replay-progress.ts'

/** A replay and its progress; `replayed` is the number of dead letters. */
export type Replay = ReplayProgress & { replayed: number }

/** The progress of a replay. With JavaScript it refreshes itself until no delivery is waiting. */
export function ReplayBanner({ replay: { replayed, waiting, deadAgain } }: { replay: Replay }) {
  const done = Math.max(0, replayed - waiting)
  return (
    <div id="replay" class="banner" role="status" data-busy={waiting > 0 ? '' : undefined}>
      <p>
        <b>
          {count(replayed)} replayed: {count(done)} processed
        </b>
        {waiting > 0 && `, ${count(waiting)} waiting`}
        {deadAgain > 0 && `; ${count(deadAgain)} dead again`}
      </p>
      <progress aria-label="Replayed deliveries processed" max={Math.max(1, replayed)} value={done} />
    </div>
  )
}
