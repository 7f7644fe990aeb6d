import { count, duration, query, rate } from '../ui/format.ts'
import { renderPage, renderPart, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Badge, Moment, Nothing, OrgForm } from '../ui/parts.tsx'
import type { Figures } from './figures.ts'
import type { RecentMessage } from './recent-messages.ts'
import { Spark } from './spark.tsx'
import type { Rates } from './traffic.ts'

type Now = {
  orgs: OrgName[]
  orgId: string | undefined
  figures: Figures
  rates: Rates
  recent: RecentMessage[]
}

/** The page of this moment; a script keeps it moving, where there is one. */
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
            <span id="live" class="live" hidden>
              live
            </span>
            <button id="pause" type="button" aria-pressed="false" hidden>
              Pause
            </button>
            <OrgForm action="/console" orgs={orgs} orgId={orgId} />
          </div>
          <ol id="feed" class="feed" data-stream={`/console/stream${query({ org: orgId })}`}>
            {recent.map((message) => (
              <Row message={message} />
            ))}
          </ol>
          <Nothing>Nothing else was routed yet. Up to 20 messages a second are shown of each org.</Nothing>
        </section>
      </>
    ),
  })
}

/** Rows of the feed, newest first. */
export function renderRows(rows: RecentMessage[]): string {
  return rows.map((message) => renderPart(<Row message={message} />)).join('')
}

/** The cards of the figures. */
export function renderFigures(figures: Figures, rates: Rates): string {
  return renderPart(<FigureCards figures={figures} rates={rates} />)
}

function Row({ message }: { message: RecentMessage }) {
  const { orgId, wamid, receivedAt, route, reason, type, sender, number } = message
  return (
    <li data-key={`${orgId} ${wamid}`}>
      <Moment at={receivedAt} clock />
      <Badge of={route} />
      <a class="who" href={`/console/customer${query({ org: orgId, q: wamid })}`}>
        {sender ?? 'nobody known'}
      </a>
      <span class="to">
        {type} to {number} · {orgId}
      </span>
      <span class="why">{reason}</span>
    </li>
  )
}

function FigureCards({ figures, rates }: { figures: Figures; rates: Rates }) {
  const { oldestUnroutedSeconds: oldest, parked, dead, stopped } = figures
  return (
    <>
      <RateCard name="Acknowledged" samples={rates.acknowledged} />
      <RateCard name="Routed" samples={rates.routed} />
      <Card name="Oldest unrouted" value={oldest < 1 ? 'none' : duration(oldest)} alarm={oldest > 60}>
        {oldest < 1 ? 'nothing waits for a worker' : 'waits for a worker'}
      </Card>
      <Card name="Parked" value={capped(parked)} href="/console/stuck#parked" alarm={parked > 0}>
        for a number nobody provisioned
      </Card>
      <Card name="Dead" value={capped(dead)} href="/console/stuck#dead" alarm={dead > 0}>
        deliveries, kept for replay
      </Card>
      <Queues depths={figures.depths} />
      <Card name="Stopped numbers" value={count(stopped.length)} wide alarm={stopped.length > 0}>
        {stopped.length === 0
          ? 'all may send'
          : stopped.map(({ number, orgId, reason }) => (
              <span class="line">
                {number} of {orgId}: {reason ?? 'refused by Meta'}
              </span>
            ))}
      </Card>
    </>
  )
}

type CardProps = {
  wide?: boolean
  name: string
  value: string
  href?: string
  alarm?: boolean
  children: preact.ComponentChildren
}

function Card({ name, value, href, wide = false, alarm = false, children }: CardProps) {
  return (
    <div class={`card${wide ? ' wide' : ''}${alarm ? ' alarm' : ''}`}>
      <h2>{href ? <a href={href}>{name}</a> : name}</h2>
      <p class="value">{value}</p>
      <p class="note">{children}</p>
    </div>
  )
}

function RateCard({ name, samples }: { name: string; samples: number[] }) {
  const latest = samples.slice(-3)
  const mean = latest.reduce((sum, sample) => sum + sample, 0) / Math.max(1, latest.length)
  return (
    <div class="card wide">
      <h2>{name}</h2>
      <p class="value">
        {samples.length === 0 ? '…' : rate(mean)} <small>deliveries/s</small>
      </p>
      <Spark label={`${name}: the last two minutes, deliveries a second`} samples={samples} />
    </div>
  )
}

function Queues({ depths }: Pick<Figures, 'depths'>) {
  const names = Object.keys(depths ?? {})
  return (
    <div class={depths && names.length > 0 ? 'card' : 'card alarm'}>
      <h2>
        <a href="/queues/">Queues</a>
      </h2>
      {depths && names.length > 0 ? (
        <dl class="depths">
          {Object.entries(depths).map(([name, { waiting, active, failed }]) => (
            <div>
              <dt>{name}</dt>
              <dd>
                {count(waiting + active)}
                {failed > 0 && <b> {count(failed)} failed</b>}
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <p class="note">do not answer: messages are safe, and are routed when they do</p>
      )}
    </div>
  )
}

function capped(n: number): string {
  return n >= 10_000 ? `${count(n)}+` : count(n)
}
