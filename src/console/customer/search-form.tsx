import { queryString } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgPicker } from '../ui/parts.tsx'
import type { Match } from './search.ts'

/** What the page was asked for: the search text `words` in one org or in all, with or without message text. */
export type CustomerQuery = {
  orgs: OrgName[]
  orgId: string | undefined
  words: string
  withText: boolean
}

export const CUSTOMER_PATH = '/console/customer'

/** The form that searches for a customer. */
export function SearchForm({ orgs, orgId, words }: CustomerQuery) {
  return (
    <form class="bar search" method="get" action={CUSTOMER_PATH}>
      <label class="field grow">
        <span>Phone in any spelling, wa_id, BSUID, crm_id or message id</span>
        <input type="search" name="q" value={words} autocomplete="off" spellcheck={false} required />
      </label>
      <OrgPicker orgs={orgs} orgId={orgId} />
      <button type="submit">Search</button>
    </form>
  )
}

/** The customers to choose from when several match. */
export function MatchList({ matches, words }: { matches: Match[]; words: string }) {
  return (
    <section aria-label="Customers found">
      <h2>{matches.length} customers match</h2>
      <ul class="choice">
        {matches.map(({ orgId, customerId, matchedBy }) => (
          <li>
            <a href={`${CUSTOMER_PATH}${queryString({ org: orgId, q: words, id: customerId })}`}>
              {customerId} of {orgId}
            </a>{' '}
            <span class="dim">by {matchedBy === 'alias' ? 'phone or id' : matchedBy}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
