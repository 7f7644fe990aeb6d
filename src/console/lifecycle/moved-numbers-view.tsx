import { Moment, Table } from '../ui/parts.tsx'
import type { MovedNumber } from './moved-numbers.ts'

/** The numbers that moved to another WABA, with the ids that they had; nothing when none has. */
export function MovedNumbers({ numbers }: { numbers: MovedNumber[] }) {
  if (numbers.length === 0) return null
  return (
    <section aria-labelledby="moved">
      <h2 id="moved">Numbers that moved</h2>
      <Table
        label="Numbers that moved"
        head={['Org', 'Number', 'WABA now', 'Id at Meta now', 'Ids before', 'Moved']}
      >
        {numbers.map(({ orgId, number, wabaId, remoteId, formerIds, since }) => (
          <tr>
            <td>{orgId}</td>
            <th scope="row">{number}</th>
            <td>{wabaId}</td>
            <td>{remoteId}</td>
            <td>{formerIds.join(', ')}</td>
            <td>
              <Moment at={since} />
            </td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
