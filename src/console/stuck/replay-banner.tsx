import { count } from '../ui/format.ts'
import type { ReplayProgress } from './replay-progress.ts'

/** Dead letters that were replayed just now. */
export type Replay = ReplayProgress & { replayed: number }

/** How far a replay has come; looks again by itself until nothing is under way. */
export function ReplayBanner({ replay: { replayed, waiting, deadAgain } }: { replay: Replay }) {
  const done = Math.max(0, replayed - waiting)
  return (
    <div id="replay" class="banner" role="status" data-busy={waiting > 0 ? '' : undefined}>
      <p>
        <b>
          {count(replayed)} replayed: {count(done)} tried again
        </b>
        {waiting > 0 && `, ${count(waiting)} under way`}
        {deadAgain > 0 && `; ${count(deadAgain)} dead again`}
      </p>
      <progress aria-label="Replayed deliveries tried again" max={Math.max(1, replayed)} value={done} />
    </div>
  )
}
