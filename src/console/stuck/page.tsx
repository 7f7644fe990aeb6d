import type { DeadLetter } from '../../inbox/dead-letters.ts'
import { count, query } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { Moment, Nothing, OrgForm, Table } from '../ui/parts.tsx'
import type { HeldMessage } from './held-list.ts'
import type { Parked } from './parked-list.ts'
import { type Replay, ReplayBanner } from './replay-banner.tsx'

export const STUCK = '/console/stuck'

type Stuck = {
  orgs: OrgName[]
  orgId: string | undefined
  held: HeldMessage[]
  parked: Parked[]
  dead: DeadLetter[]
  /** Where older dead letters begin; undefined when there are none. */
  olderDead: number | undefined
  replay: Replay | undefined
}

/** What did not reach a chatroom, why, and what to do about it. */
export function renderStuck(shell: Shell, stuck: Stuck): string {
  return renderPage({
    shell,
    title: 'Held & dead',
    here: STUCK,
    children: (
      <>
        <h1>Held & dead</h1>
        <p class="dim">
          Nothing here is lost. Held messages join the first chatroom made for their customer; parked
          deliveries are routed once their number is provisioned; dead ones wait for a replay.
        </p>
        {stuck.replay && <ReplayBanner replay={stuck.replay} />}
        <Dead shell={shell} stuck={stuck} />
        <ParkedDeliveries parked={stuck.parked} />
        <Held stuck={stuck} />
      </>
    ),
  })
}

function Dead({ shell, stuck: { dead, olderDead, orgId } }: { shell: Shell; stuck: Stuck }) {
  return (
    <section aria-labelledby="dead">
      <div class="head">
        <h2 id="dead">Dead letters</h2>
        {dead.length > 0 && !shell.readOnly && (
          <form method="post" action={`${STUCK}/replay`}>
            <button type="submit">Replay all</button>
          </form>
        )}
      </div>
      {dead.length === 0 && <Nothing>None: every delivery could be read and stored.</Nothing>}
      {dead.length > 0 && (
        <Table label="Dead letters" head={['Delivery', 'Received', 'Why', 'Size', '']}>
          {dead.map((letter) => (
            <DeadRow letter={letter} readOnly={shell.readOnly} />
          ))}
        </Table>
      )}
      {olderDead && (
        <p>
          <a href={`${STUCK}${query({ org: orgId, before: String(olderDead) })}#dead`}>Older ones</a>
        </p>
      )}
    </section>
  )
}

function DeadRow({ letter, readOnly }: { letter: DeadLetter; readOnly: boolean }) {
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

/** Replays one dead letter. */
export function ReplayButton({ id }: { id: number }) {
  return (
    <form method="post" action={`${STUCK}/${id}/replay`}>
      <button type="submit" aria-label={`Replay delivery ${id}`}>
        Replay
      </button>
    </form>
  )
}

function ParkedDeliveries({ parked }: { parked: Parked[] }) {
  return (
    <section aria-labelledby="parked">
      <h2 id="parked">Parked</h2>
      {parked.length === 0 && <Nothing>None: every number that Meta told us of is provisioned.</Nothing>}
      {parked.length > 0 && (
        <Table label="Parked deliveries" head={['Waits for', 'Deliveries', 'Since', 'What to do']}>
          {parked.map(({ waitsFor, deliveries, since }) => (
            <tr>
              <th scope="row">{waitsFor}</th>
              <td>{count(deliveries)}</td>
              <td>
                <Moment at={since} />
              </td>
              <td>
                <code>npm run provision</code> it; within 5 s they are routed
              </td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}

function Held({ stuck: { held, orgs, orgId } }: { stuck: Stuck }) {
  return (
    <section aria-labelledby="held">
      <div class="head">
        <h2 id="held">Held messages</h2>
        <OrgForm action={STUCK} orgs={orgs} orgId={orgId} />
      </div>
      {held.length === 0 && <Nothing>None: everybody who wrote has a chatroom.</Nothing>}
      {held.length > 0 && (
        <Table label="Held messages" head={['Customer', 'Org', 'To', 'Type', 'Received', 'Why']}>
          {held.map((message) => (
            <tr>
              <th scope="row">
                <a href={`/console/customer${query({ org: message.orgId, q: message.wamid })}`}>
                  {message.sender ?? 'nobody known'}
                </a>
              </th>
              <td>{message.orgId}</td>
              <td>{message.number}</td>
              <td>{message.type}</td>
              <td>
                <Moment at={message.receivedAt} />
              </td>
              <td class="wrap">{message.reason}</td>
            </tr>
          ))}
        </Table>
      )}
    </section>
  )
}
