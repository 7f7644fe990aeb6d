import { NoOrgs, Nothing } from '../ui/empty.tsx'
import { renderPage, renderPart, type Shell } from '../ui/layout.tsx'
import type { NumberName } from '../ui/list-numbers.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { type FeedFilter, isSearch, toQueryString } from './feed-filter.ts'
import { FigureCards } from './figure-cards.tsx'
import type { Figures } from './figures.ts'
import { FilterForm } from './filter-form.tsx'
import { MessageRow } from './message-row.tsx'
import { type RecentMessage, SEARCHED } from './recent-messages.ts'
import type { Rates } from './traffic.ts'

type Now = {
  orgs: OrgName[]
  numbers: NumberName[]
  filter: FeedFilter
  figures: Figures
  rates: Rates
  recent: RecentMessage[]
}

/** The page `Now`. With JavaScript it is kept up to date by the stream. */
export function renderNow(shell: Shell, { figures, rates, ...now }: Now): string {
  return renderPage({
    shell,
    title: 'Now',
    here: '/console',
    children: (
      <>
        <h1>Now</h1>
        <div id="figures" class="figures">
          <FigureCards figures={figures} rates={rates} />
        </div>
        <LiveFeed {...now} />
      </>
    ),
  })
}

function LiveFeed({ orgs, numbers, filter, recent }: Omit<Now, 'figures' | 'rates'>) {
  return (
    <section aria-labelledby="feed-title">
      <div class="head">
        <h2 id="feed-title">Messages as they are routed</h2>
        <span id="live" class="live lost" hidden />
        <button id="pause" type="button" aria-pressed="false" hidden>
          Pause
        </button>
      </div>
      <FilterForm filter={filter} orgs={orgs} numbers={numbers} />
      <ol id="feed" class="feed" data-stream={`/console/stream${toQueryString(filter)}`}>
        {recent.map((message) => (
          <MessageRow message={message} />
        ))}
      </ol>
      {orgs.length > 0 ? <NoMessages filter={filter} /> : <NoOrgs />}
      <p class="note">At most 20 messages per second are shown for each org.</p>
    </section>
  )
}

function NoMessages({ filter }: { filter: FeedFilter }) {
  if (!isSearch(filter))
    return (
      <Nothing>
        No message was routed yet. Write to a WhatsApp number of the org, or post test messages with{' '}
        <code>npm run simulate</code>.
      </Nothing>
    )
  return (
    <Nothing>
      No message fits the filter among the latest{' '}
      {filter.orgId === undefined ? `${SEARCHED.all} of each org` : `${SEARCHED.org} of the org`}.
    </Nothing>
  )
}

/** Renders rows of the feed. The page puts each into its place by its `data-seq`. */
export function renderRows(rows: RecentMessage[]): string {
  return rows.map((message) => renderPart(<MessageRow message={message} />)).join('')
}

/** Renders the cards of the figures. */
export function renderFigures(figures: Figures, rates: Rates): string {
  return renderPart(<FigureCards figures={figures} rates={rates} />)
}
