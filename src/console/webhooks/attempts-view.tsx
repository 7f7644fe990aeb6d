import type { webhookAttempts } from '../../db/schema/index.ts'
import { Nothing } from '../ui/empty.tsx'
import { count } from '../ui/format.ts'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import { pathOf, shownUrl } from './endpoint-parts.tsx'
import type { ShownEndpoint } from './list.ts'

export type Attempt = typeof webhookAttempts.$inferSelect

const BADGES = { delivered: 'active', rejected: 'held', failed: 'is-failed', gone: 'is-failed' } as const

type Props = {
  endpoint: ShownEndpoint
  attempts: Attempt[]
  /** The beginnings of the answers are shown: a receiver may have repeated there what people wrote. */
  withText: boolean
}

/** The last requests to an endpoint, each with its answer. */
export function Attempts({ endpoint, attempts, withText }: Props) {
  return (
    <section aria-labelledby="attempts">
      <div class="head">
        <h2 id="attempts">Last requests</h2>
        <a
          class="button"
          href={`${pathOf(endpoint, withText ? undefined : 'show')}#attempts`}
          title="The log records who has text shown"
        >
          {withText ? 'Hide answers' : 'Show answers'}
        </a>
      </div>
      {attempts.length === 0 && <Nothing>Nothing has been posted yet.</Nothing>}
      {attempts.length > 0 && (
        <Table label="Last requests" head={['Sent', 'Request', 'Event', 'Outcome', 'Answer', 'Took']}>
          {attempts.map((attempt) => (
            <AttemptRow endpoint={endpoint} attempt={attempt} withText={withText} />
          ))}
        </Table>
      )}
    </section>
  )
}

function AttemptRow({ endpoint, attempt, withText }: Omit<Props, 'attempts'> & { attempt: Attempt }) {
  const { at, eventId, type, outcome, status, error, answer, durationMs } = attempt
  return (
    <tr>
      <th scope="row">
        <Moment at={at} />
      </th>
      <td class="wrap">
        <code class="id">POST {shownUrl(endpoint.url)}</code>
        <br />
        <code class="id">webhook-id: {eventId}</code>
      </td>
      <td>{type}</td>
      <td>
        <Badge of={BADGES[outcome]}>{outcome}</Badge>
      </td>
      <td class="wrap">
        {status ?? `none: ${error}`}
        {withText && answer && <pre>{answer}</pre>}
      </td>
      <td>{count(durationMs)} ms</td>
    </tr>
  )
}
