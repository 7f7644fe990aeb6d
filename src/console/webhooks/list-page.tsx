import type { EndpointStanding } from '../../event-push/read-standing.ts'
import { NoOrgs, Nothing } from '../ui/empty.tsx'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgForm, Table } from '../ui/parts.tsx'
import {
  EndpointState,
  Lag,
  pathOf,
  RequestTimes,
  SuccessRate,
  shownUrl,
  WEBHOOKS,
} from './endpoint-parts.tsx'
import { MAX_SHOWN, type ShownEndpoint } from './list.ts'

type List = {
  orgs: OrgName[]
  orgId: string | undefined
  endpoints: { endpoint: ShownEndpoint; standing: EndpointStanding }[]
}

/** The endpoints of an org or of all: what they do, how far they are, and how their receivers answer. */
export function renderWebhooks(shell: Shell, { orgs, orgId, endpoints }: List): string {
  return renderPage({
    shell,
    title: 'Webhooks',
    here: WEBHOOKS,
    children: (
      <>
        <div class="head">
          <h1>Webhooks</h1>
          <OrgForm action={WEBHOOKS} orgs={orgs} orgId={orgId} />
        </div>
        <p class="dim">
          Where orgs have their events posted. What waits is not lost: it is posted when the receiver answers,
          and an endpoint that was disabled goes on where it stopped when it is enabled.
          {endpoints.length === MAX_SHOWN && ` Only ${MAX_SHOWN} are shown, those first that need somebody.`}
        </p>
        {orgs.length === 0 && <NoOrgs />}
        {orgs.length > 0 && endpoints.length === 0 && (
          <Nothing>
            No webhook endpoint. The CRM of an org adds one with{' '}
            <code>POST /v1/org/{orgId ?? '{orgId}'}/webhook-endpoints</code>.
          </Nothing>
        )}
        {endpoints.length > 0 && (
          <Table
            label="Webhook endpoints"
            head={['Endpoint', 'Org', 'State', 'Waiting', 'Delivered', 'Time']}
          >
            {endpoints.map((one) => (
              <EndpointRow {...one} />
            ))}
          </Table>
        )}
      </>
    ),
  })
}

function EndpointRow({ endpoint, standing }: List['endpoints'][number]) {
  return (
    <tr>
      <th scope="row">
        <a href={pathOf(endpoint)}>{shownUrl(endpoint.url)}</a>
        {endpoint.description && <div class="note">{endpoint.description}</div>}
      </th>
      <td>{endpoint.orgId}</td>
      <td class="wrap">
        <EndpointState endpoint={endpoint} />
      </td>
      <td>
        <Lag events={standing.lag_events} seconds={standing.lag_seconds} />
      </td>
      <td>
        <SuccessRate endpoint={endpoint} />
      </td>
      <td class="spark-cell">
        <RequestTimes endpoint={endpoint} />
      </td>
    </tr>
  )
}
