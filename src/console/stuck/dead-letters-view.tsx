import type { DeadLetter } from '../../inbox/dead-letters.ts'
import { Nothing } from '../ui/empty.tsx'
import { count, queryString } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import { ReplayAllButton, ReplayButton, STUCK } from './replay-buttons.tsx'

type Props = {
  letters: DeadLetter[]
  older: number | undefined
  orgId: string | undefined
  readOnly: boolean
}

/** One page of dead letters, with buttons to replay them unless `readOnly`. */
export function DeadLetters({ letters, older, orgId, readOnly }: Props) {
  return (
    <section aria-labelledby="dead">
      <div class="head">
        <h2 id="dead">Dead letters</h2>
        {letters.length > 0 && !readOnly && <ReplayAllButton />}
      </div>
      {letters.length === 0 && (
        <Nothing>No dead letters. A delivery that cannot be read or stored is kept here.</Nothing>
      )}
      {letters.length > 0 && (
        <Table label="Dead letters" head={['Delivery', 'Received', 'Error', 'Size', '']}>
          {letters.map((letter) => (
            <DeadLetterRow letter={letter} readOnly={readOnly} />
          ))}
        </Table>
      )}
      {older && (
        <p>
          <a href={`${STUCK}${queryString({ org: orgId, before: String(older) })}#dead`}>
            Older dead letters
          </a>
        </p>
      )}
    </section>
  )
}

function DeadLetterRow({ letter, readOnly }: { letter: DeadLetter; readOnly: boolean }) {
  const { id, error, bytes, received_at } = letter
  return (
    <tr>
      <th scope="row">
        <a href={`${STUCK}/${id}`}>{id}</a>
      </th>
      <td>
        <Moment at={new Date(received_at)} />
      </td>
      <td class="wrap">{error}</td>
      <td>{count(bytes)} bytes</td>
      <td>{!readOnly && <ReplayButton id={id} />}</td>
    </tr>
  )
}
