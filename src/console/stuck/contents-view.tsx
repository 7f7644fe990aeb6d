import type { KeptDelivery } from '../../inbox/read-kept.ts'
import { Nothing } from '../ui/empty.tsx'
import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import { readContents } from './contents.ts'

const SHOWN = 50

/** What a delivery holds, in words: its messages, statuses and other items, without senders and texts. */
export function Contents({ delivery }: { delivery: KeptDelivery }) {
  const { contents, problems } = readContents(delivery)
  return (
    <section aria-labelledby="contents">
      <h2 id="contents">Contents</h2>
      {contents.length === 0 && <Nothing>Nothing in this delivery can be read.</Nothing>}
      {contents.length > 0 && (
        <Table label="Contents" head={['Item', 'Type', 'Id', 'Number', 'Time']}>
          {contents.slice(0, SHOWN).map(({ kind, type, id, number, at }) => (
            <tr>
              <th scope="row">{kind}</th>
              <td class="id">{type}</td>
              <td class="id">{id}</td>
              <td class="id">{number}</td>
              <td>{at && <Moment at={at} />}</td>
            </tr>
          ))}
        </Table>
      )}
      {contents.length > SHOWN && (
        <p class="dim">
          These are the first {SHOWN} of {count(contents.length)} items.
        </p>
      )}
      {problems.length > 0 && (
        <p class="dim">Cannot be read: {problems.slice(0, SHOWN).join('; ').slice(0, 2_000)}</p>
      )}
    </section>
  )
}
