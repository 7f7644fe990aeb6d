import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import type { ParkedDelivery, ParkedGroup } from './parked-list.ts'
import { listPath, STUCK } from './stuck-query.ts'

/** What parked deliveries wait for, with the remedy. */
export function ParkedGroups({ groups }: { groups: ParkedGroup[] }) {
  return (
    <Table label="Parked deliveries" head={['Waits for', 'Deliveries', 'Since', 'Remedy']}>
      {groups.map(({ waitsFor, deliveries, since }) => (
        <tr>
          <th scope="row">
            <a href={listPath('parked', { waits: waitsFor })}>{waitsFor}</a>
          </th>
          <td>{count(deliveries)}</td>
          <td>
            <Moment at={since} />
          </td>
          <td>
            Provision it with <code>npm run provision</code>; they are routed within 5 s
          </td>
        </tr>
      ))}
    </Table>
  )
}

/** Parked deliveries, each with a link to its contents. */
export function ParkedTable({ deliveries }: { deliveries: ParkedDelivery[] }) {
  return (
    <Table label="Parked deliveries" head={['Delivery', 'Waits for', 'Received', 'Size']}>
      {deliveries.map(({ id, waitsFor, receivedAt, bytes }) => (
        <tr>
          <th scope="row">
            <a href={`${STUCK}/${id}`}>{id}</a>
          </th>
          <td>{waitsFor}</td>
          <td>
            <Moment at={receivedAt} />
          </td>
          <td>{count(bytes)} bytes</td>
        </tr>
      ))}
    </Table>
  )
}
