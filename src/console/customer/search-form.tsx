import { CUSTOMER_PATH } from '../ui/format.ts'
import { OrgPicker } from '../ui/parts.tsx'
import type { CustomerQuery } from './customer-query.ts'
import type { Suggestion } from './suggest.ts'

/** The form that searches for a customer. */
export function SearchForm({ orgs, orgId, words }: CustomerQuery) {
  return (
    <form class="bar search" method="get" action={CUSTOMER_PATH}>
      <label class="field grow">
        <span>Phone in any spelling, wa_id, BSUID, crm_id or message id</span>
        <input
          type="search"
          name="q"
          value={words}
          list="suggestions"
          data-suggest={`${CUSTOMER_PATH}/suggest`}
          spellcheck={false}
          required
        />
        <datalist id="suggestions" />
      </label>
      <OrgPicker orgs={orgs} orgId={orgId} />
      <button type="submit">Search</button>
    </form>
  )
}

/** What the search field offers while somebody types. */
export function Suggestions({ suggestions }: { suggestions: Suggestion[] }) {
  return suggestions.map(({ value, name, orgId }) => (
    <option value={value}>{[name, orgId].filter(Boolean).join(' · ')}</option>
  ))
}
