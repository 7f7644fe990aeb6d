import { Nothing } from '../ui/empty.tsx'
import { queryString } from '../ui/format.ts'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import { RetryForm } from '../ui/retry-form.tsx'
import type { FailedSend } from './failed-sends-list.ts'

/** The sends that ended badly, with a button to send each again unless `readOnly`. */
export function FailedSends({ sends, readOnly }: { sends: FailedSend[]; readOnly: boolean }) {
  return (
    <section aria-labelledby="sends">
      <h2 id="sends">Failed sends</h2>
      <p class="dim">
        A message that failed was not delivered. Of an unknown one, nobody knows whether the customer has it.
      </p>
      {sends.length === 0 && (
        <Nothing>
          No failed sends. A message that Meta refuses, or whose outcome is unknown, is listed here.
        </Nothing>
      )}
      {sends.length > 0 && (
        <Table
          label="Failed sends"
          head={['Message', 'Org', 'Number', 'Type', 'Queued', 'State', 'Reason', '']}
        >
          {sends.map((send) => (
            <FailedSendRow send={send} readOnly={readOnly} />
          ))}
        </Table>
      )}
    </section>
  )
}

function FailedSendRow({ send, readOnly }: { send: FailedSend; readOnly: boolean }) {
  const { orgId, id, wamid, number, type, at, status, reason } = send
  return (
    <tr>
      <th scope="row">
        <a href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>{id}</a>
      </th>
      <td>{orgId}</td>
      <td>{number}</td>
      <td>{type}</td>
      <td>
        <Moment at={at} />
      </td>
      <td>
        <Badge of={`is-${status}`}>{status}</Badge>
      </td>
      <td class="wrap">{reason}</td>
      <td>{!readOnly && <RetryForm send={send} />}</td>
    </tr>
  )
}
