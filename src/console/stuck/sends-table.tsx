import { queryString } from '../ui/format.ts'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import { RetryForm } from '../ui/retry-form.tsx'
import type { FailedSend } from './failed-sends-list.ts'

const HEAD = ['Message', 'Org', 'Number', 'Type', 'Queued', 'State', 'Reason', '']

/** Sends that ended badly, each with a button to send it again unless `readOnly`. */
export function SendsTable({ sends, readOnly }: { sends: FailedSend[]; readOnly: boolean }) {
  return (
    <Table label="Failed sends" head={HEAD}>
      {sends.map((send) => {
        const { orgId, id, wamid, number, type, at, status, reason } = send
        return (
          <tr>
            <th scope="row">
              <a href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>{id}</a>
            </th>
            <td>{orgId}</td>
            <td>{formatPhone(number)}</td>
            <td>{type}</td>
            <td>
              <Moment at={at} />
            </td>
            <td>
              <Badge of={`is-${status}`}>{status}</Badge>
            </td>
            <td class="wrap">{reason?.slice(0, 300)}</td>
            <td>{!readOnly && <RetryForm send={send} />}</td>
          </tr>
        )
      })}
    </Table>
  )
}
