import type { EndpointStanding } from '../../event-push/read-standing.ts'
import { count } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import { type Attempt, Attempts } from './attempts-view.tsx'
import { EndpointButtons } from './buttons.tsx'
import { EndpointState, Lag, RequestTimes, SuccessRate, shownUrl, WEBHOOKS } from './endpoint-parts.tsx'
import type { ShownEndpoint } from './list.ts'

type Details = {
  endpoint: ShownEndpoint
  standing: EndpointStanding
  attempts: Attempt[]
  withText: boolean
}

/** One endpoint: how far it is, what can be done, and its last requests. */
export function renderEndpoint(shell: Shell, details: Details): string {
  const { endpoint, standing, attempts, withText } = details
  return renderPage({
    shell,
    title: 'Webhook endpoint',
    here: WEBHOOKS,
    children: (
      <>
        <p>
          <a href={WEBHOOKS}>All webhook endpoints</a>
        </p>
        <h1 class="id">{shownUrl(endpoint.url)}</h1>
        <p class="dim">
          {endpoint.orgId} · {endpoint.description ?? 'no description'} ·{' '}
          {endpoint.types?.join(', ') ?? 'all types of events'}
        </p>
        <div class="figures">
          <Facts endpoint={endpoint} standing={standing} />
        </div>
        {!shell.readOnly && <EndpointButtons endpoint={endpoint} />}
        <Attempts endpoint={endpoint} attempts={attempts} withText={withText} />
      </>
    ),
  })
}

function Facts({ endpoint, standing }: Pick<Details, 'endpoint' | 'standing'>) {
  const { held_lanes: held, skipped_events: skipped } = standing
  return (
    <>
      <div class={endpoint.disabledReason ? 'card wide alarm' : 'card wide'}>
        <h2>State</h2>
        <p>
          <EndpointState endpoint={endpoint} />
        </p>
      </div>
      <div class="card">
        <h2>Waiting</h2>
        <p>
          <Lag events={standing.lag_events} seconds={standing.lag_seconds} />
        </p>
        <p class="note">
          {count(held)} of 32 lanes are held, {count(skipped)} events were skipped
        </p>
      </div>
      <div class="card">
        <h2>Delivered</h2>
        <p>
          <SuccessRate endpoint={endpoint} />
        </p>
        <RequestTimes endpoint={endpoint} />
      </div>
    </>
  )
}
