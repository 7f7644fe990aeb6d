import { Nothing } from '../ui/empty.tsx'
import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import type { Parked } from './parked-list.ts'

/** Parked deliveries, grouped by the number or WABA they wait for. */
export function ParkedDeliveries({ parked }: { parked: Parked[] }) {
  return (
    <section aria-labelledby="parked">
      <h2 id="parked">Parked</h2>
      {parked.length === 0 && (
        <Nothing>
          No parked deliveries. A delivery for a number or WABA that is not provisioned waits here.
        </Nothing>
      )}
      {parked.length > 0 && (
        <Table label="Parked deliveries" head={['Waits for', 'Deliveries', 'Since', 'Remedy']}>
          {parked.map(({ waitsFor, deliveries, since }) => (
            <tr>
              <th scope="row">{waitsFor}</th>
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
      )}
    </section>
  )
}
