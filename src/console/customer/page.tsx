import { NoOrgs, Nothing } from '../ui/empty.tsx'
import { CUSTOMER_PATH } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import { Contacts } from './contacts-view.tsx'
import type { CustomerQuery } from './customer-query.ts'
import { CustomerHeader, Forecasts } from './customer-view.tsx'
import type { DescribedMatch } from './describe-matches.ts'
import { MatchList } from './match-list.tsx'
import type { CustomerDetails } from './read-details.ts'
import { Chatrooms } from './rooms-view.tsx'
import { SearchForm } from './search-form.tsx'
import { Timeline } from './timeline-view.tsx'

/** The details of one customer, or the customers to choose from. */
export type CustomerResult = { matches: DescribedMatch[]; details: CustomerDetails | undefined }

/** The search form with its result: no customer, several to choose from, or the details of one. */
export function renderCustomer(
  shell: Shell,
  query: CustomerQuery,
  { matches, details }: CustomerResult,
): string {
  return renderPage({
    shell,
    title: 'Customer',
    here: CUSTOMER_PATH,
    children: (
      <>
        <h1>Customer</h1>
        <SearchForm {...query} />
        <SearchAdvice query={query} found={matches.length > 0 || details !== undefined} />
        {matches.length > 1 && <MatchList matches={matches} words={query.words} />}
        {details && (
          <>
            <CustomerHeader details={details} />
            <Forecasts details={details} />
            <Chatrooms details={details} query={query} readOnly={shell.readOnly} />
            <Timeline details={details} query={query} readOnly={shell.readOnly} />
            <Contacts contacts={details.contacts} />
          </>
        )}
      </>
    ),
  })
}

/** What to do where no customer is shown. */
function SearchAdvice({ query: { orgs, words }, found }: { query: CustomerQuery; found: boolean }) {
  if (orgs.length === 0) return <NoOrgs />
  if (found) return null
  if (words === '')
    return (
      <Nothing>
        Search for a customer to see where their messages went, and why. Any spelling of the phone will do,
        with the country code or as people dial it in the country of the org's numbers.
      </Nothing>
    )
  return (
    <Nothing>
      No customer matches “{words}”. Try the phone with its country code, the wa_id, the business-scoped user
      id (BSUID), a crm_id, or the id of a message.
    </Nothing>
  )
}
