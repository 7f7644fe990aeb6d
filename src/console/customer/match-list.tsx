import { CUSTOMER_PATH, queryString } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import { formatPhone } from '../ui/phone.ts'
import type { DescribedMatch } from './describe-matches.ts'
import { DIRECTION_NAMES } from './timeline-entries.tsx'

const MATCHED_BY = { alias: 'phone or id', crm_id: 'crm_id', wamid: 'message' } as const

/** The customers to choose from when several match, by what people tell them apart by. */
export function MatchList({ matches, words }: { matches: DescribedMatch[]; words: string }) {
  return (
    <section aria-labelledby="matches">
      <h2 id="matches">{matches.length} customers match</h2>
      <Table label="Customers found" head={['Customer', 'Org', 'Phones and ids', 'Last message', 'Found by']}>
        {matches.map((match) => (
          <MatchRow match={match} words={words} />
        ))}
      </Table>
    </section>
  )
}

function MatchRow({ match, words }: { match: DescribedMatch; words: string }) {
  const { orgId, customerId, matchedBy, name, aliases, last } = match
  return (
    <tr>
      <th scope="row">
        <a href={`${CUSTOMER_PATH}${queryString({ org: orgId, q: words, id: customerId })}`}>
          {name ?? 'Customer without a name'}
        </a>
      </th>
      <td>{orgId}</td>
      <td>
        {aliases.map((alias) => (
          <span class="line">{formatPhone(alias)}</span>
        ))}
      </td>
      <td>
        {last ? (
          <>
            <Moment at={last.at} />{' '}
            <span class="dim">{`${DIRECTION_NAMES[last.direction]}: ${last.type}`}</span>
          </>
        ) : (
          'none in a chatroom'
        )}
      </td>
      <td>{MATCHED_BY[matchedBy]}</td>
    </tr>
  )
}
