import { NoOrgs, Nothing } from '../ui/empty.tsx'
import { queryString } from '../ui/format.ts'
import { renderPage, renderPart, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Badge, Moment, OrgForm } from '../ui/parts.tsx'
import { FigureCards } from './figure-cards.tsx'
import type { Figures } from './figures.ts'
import type { RecentMessage } from './recent-messages.ts'
import type { Rates } from './traffic.ts'

type Now = {
  orgs: OrgName[]
  orgId: string | undefined
  figures: Figures
  rates: Rates
  recent: RecentMessage[]
}

/** The page `Now`. With JavaScript it is kept up to date by the stream. */
export function renderNow(shell: Shell, { orgs, orgId, figures, rates, recent }: Now): string {
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
        <section aria-labelledby="feed-title">
          <div class="head">
            <h2 id="feed-title">Messages as they are routed</h2>
            <span id="live" class="live lost" hidden />
            <button id="pause" type="button" aria-pressed="false" hidden>
              Pause
            </button>
            <OrgForm action="/console" orgs={orgs} orgId={orgId} />
          </div>
          <ol id="feed" class="feed" data-stream={`/console/stream${queryString({ org: orgId })}`}>
            {recent.map((message) => (
              <Row message={message} />
            ))}
          </ol>
          {orgs.length > 0 ? (
            <Nothing>
              No message was routed yet. Write to a WhatsApp number of the org, or post test messages with{' '}
              <code>npm run simulate</code>.
            </Nothing>
          ) : (
            <NoOrgs />
          )}
          <p class="note">At most 20 messages per second are shown for each org.</p>
        </section>
      </>
    ),
  })
}

/** Renders rows of the feed. The page puts each into its place by its `data-seq`. */
export function renderRows(rows: RecentMessage[]): string {
  return rows.map((message) => renderPart(<Row message={message} />)).join('')
}

/** Renders the cards of the figures. */
export function renderFigures(figures: Figures, rates: Rates): string {
  return renderPart(<FigureCards figures={figures} rates={rates} />)
}

function Row({ message }: { message: RecentMessage }) {
  const { orgId, wamid, seq, receivedAt, route, reason, type, sender, number } = message
  return (
    <li data-key={`${orgId} ${wamid}`} data-seq={seq}>
      <Moment at={receivedAt} clock />
      <Badge of={route} />
      <a class="who" href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>
        {sender ?? 'unknown sender'}
      </a>
      <span class="to">
        {type} to {number} · {orgId}
      </span>
      <span class="why">{reason}</span>
    </li>
  )
}
