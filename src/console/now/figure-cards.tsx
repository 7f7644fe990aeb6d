import { count, duration, rate } from '../ui/format.ts'
import { formatPhone } from '../ui/phone.ts'
import { Spark } from '../ui/spark.tsx'
import { Card } from './card.tsx'
import type { Figures, InstallationFigures } from './figures.ts'
import { RefusedCard } from './refused-card.tsx'
import type { Rates } from './traffic.ts'

/** The figures as cards; a card whose figure needs attention is highlighted. */
export function FigureCards({ figures, rates }: { figures: Figures; rates: Rates }) {
  const { held, stopped, installation } = figures
  return (
    <>
      {installation && <Throughput figures={installation} rates={rates} />}
      <Card name="Held" value={capped(held)} href="/console/stuck/held">
        messages whose customer has no chatroom
      </Card>
      {installation && <Deliveries figures={installation} />}
      <StoppedNumbersCard stopped={stopped} />
      {installation && <RefusedCard refusals={installation.refusals} />}
    </>
  )
}

function Throughput({ figures, rates }: { figures: InstallationFigures; rates: Rates }) {
  const { oldestUnroutedSeconds: oldest } = figures
  return (
    <>
      <RateCard name="Acknowledged" samples={rates.acknowledged} />
      <RateCard name="Routed" samples={rates.routed} />
      <Card name="Oldest unrouted" value={oldest < 1 ? 'none' : duration(oldest)} alarm={oldest > 60}>
        {oldest < 1 ? 'no delivery waits for a worker' : 'waiting for a worker'}
      </Card>
    </>
  )
}

function Deliveries({ figures: { parked, dead, depths } }: { figures: InstallationFigures }) {
  return (
    <>
      <Card name="Parked" value={capped(parked)} href="/console/stuck/parked" alarm={parked > 0}>
        deliveries whose number or WABA is not provisioned
      </Card>
      <Card name="Dead letters" value={capped(dead)} href="/console/stuck/dead" alarm={dead > 0}>
        deliveries kept for replay
      </Card>
      <QueueCard depths={depths} />
    </>
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
      <Spark label={`${name}: deliveries per second in the last two minutes`} samples={samples} />
    </div>
  )
}

function QueueCard({ depths = {} }: Pick<InstallationFigures, 'depths'>) {
  const queues = Object.entries(depths)
  return (
    <div class={queues.length > 0 ? 'card' : 'card alarm'}>
      <h2>
        <a href="/queues/">Queues</a>
      </h2>
      {queues.length > 0 ? (
        <dl class="depths">
          {queues.map(([name, { waiting, active, failed }]) => (
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
        <p class="note">
          The queues do not answer. Deliveries are stored, and routed when the queues are back.
        </p>
      )}
    </div>
  )
}

function StoppedNumbersCard({ stopped }: Pick<Figures, 'stopped'>) {
  return (
    <Card name="Stopped numbers" value={count(stopped.length)} wide alarm={stopped.length > 0}>
      {stopped.length === 0
        ? 'no number is stopped'
        : stopped.map(({ number, orgId, reason }) => (
            <span class="line">
              {formatPhone(number)} of {orgId}: {reason ?? 'refused by Meta'}
            </span>
          ))}
    </Card>
  )
}

/** Counts stop at 10,000, so that they stay cheap however large the backlog is. */
function capped(n: number): string {
  return n >= 10_000 ? `${count(n)}+` : count(n)
}
