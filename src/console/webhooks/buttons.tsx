import { pathOf } from './endpoint-parts.tsx'
import type { ShownEndpoint } from './list.ts'

/** The periods that can be replayed from here, in hours; the API takes any. */
export const REPLAY_HOURS = [1, 24, 72, 720]

/** The buttons of an endpoint: test it, post a period once more, and enable it if it is not. */
export function EndpointButtons({ endpoint }: { endpoint: ShownEndpoint }) {
  const path = pathOf(endpoint)
  return (
    <div class="bar">
      <form method="post" action={`${path}/test`}>
        <button type="submit">Test</button>
      </form>
      {!endpoint.enabled && (
        <form method="post" action={`${path}/enable`}>
          <button type="submit">Enable</button>
        </form>
      )}
      {!endpoint.isReplaying && (
        <form class="bar" method="post" action={`${path}/replay`}>
          <label class="field">
            <span>Post once more</span>
            <select name="hours">
              {REPLAY_HOURS.map((hours) => (
                <option value={hours}>
                  {hours < 48 ? `the last ${hours} h` : `the last ${hours / 24} days`}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Replay</button>
        </form>
      )}
    </div>
  )
}
