import { queryString } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import type { HeldMessage } from './held-list.ts'

/** Held messages, each with a link to its customer. */
export function HeldTable({ held }: { held: HeldMessage[] }) {
  return (
    <Table label="Held messages" head={['Customer', 'Org', 'To', 'Type', 'Sent', 'Reason']}>
      {held.map(({ orgId, wamid, sender, number, type, at, reason }) => (
        <tr>
          <th scope="row">
            <a href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>
              {sender === null ? 'unknown sender' : formatPhone(sender)}
            </a>
          </th>
          <td>{orgId}</td>
          <td>{formatPhone(number)}</td>
          <td>{type}</td>
          <td>
            <Moment at={at} />
          </td>
          <td class="wrap">{reason}</td>
        </tr>
      ))}
    </Table>
  )
}
