import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import type { ListedLetter } from './dead-list.ts'
import { ReplayButton } from './replay-buttons.tsx'
import { STUCK } from './stuck-query.ts'

/** Dead letters, each with a button to replay it unless `readOnly`. */
export function DeadTable({ letters, readOnly }: { letters: ListedLetter[]; readOnly: boolean }) {
  return (
    <Table label="Dead letters" head={['Delivery', 'Received', 'Error', 'Size', '']}>
      {letters.map(({ id, receivedAt, error, bytes }) => (
        <tr>
          <th scope="row">
            <a href={`${STUCK}/${id}`}>{id}</a>
          </th>
          <td>
            <Moment at={receivedAt} />
          </td>
          <td class="wrap">{error}</td>
          <td>{count(bytes)} bytes</td>
          <td>{!readOnly && <ReplayButton id={id} />}</td>
        </tr>
      ))}
    </Table>
  )
}
