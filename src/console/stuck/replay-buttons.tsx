import { STUCK } from './stuck-query.ts'

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

/** The button that replays all dead letters. */
export function ReplayAllButton() {
  return (
    <form method="post" action={`${STUCK}/replay`}>
      <button type="submit">Replay all</button>
    </form>
  )
}
