import type { Heartbeats } from '../../heartbeats/read-heartbeats.ts'
import { NoOrgs, Nothing } from '../ui/empty.tsx'
import { duration } from '../ui/format.ts'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgForm } from '../ui/parts.tsx'
import type { Census } from './census.ts'
import { CensusView } from './census-view.tsx'
import type { MovedNumber } from './moved-numbers.ts'
import { MovedNumbers } from './moved-numbers-view.tsx'
import { LIFECYCLE_PATH } from './orgs-view.tsx'
import type { RemovedUser } from './removed-users.ts'
import { RemovedUsers } from './removed-users-view.tsx'

type Lifecycle = {
  orgs: OrgName[]
  orgId: string | undefined
  /** Undefined for people who may see some orgs only. */
  sweeps: Heartbeats['sweeps'] | undefined
  /** Undefined while the first census is being taken. */
  census: Census | undefined
  movedNumbers: MovedNumber[]
  removedUsers: RemovedUser[]
  now: Date
}

/** Chatrooms by state, what is due, the changes of the last two weeks, the sweeps, the numbers that moved, and the users who left. */
export function renderLifecycle(
  shell: Shell,
  { orgs, orgId, census, sweeps, movedNumbers, removedUsers, now }: Lifecycle,
): string {
  return renderPage({
    shell,
    title: 'Lifecycle',
    here: LIFECYCLE_PATH,
    children: (
      <>
        <div class="head">
          <h1>Lifecycle</h1>
          <OrgForm action={LIFECYCLE_PATH} orgs={orgs} orgId={orgId} />
        </div>
        {orgs.length === 0 && <NoOrgs />}
        <div id="census" data-busy={census ? undefined : ''}>
          {census ? (
            <CensusView census={census} orgs={orgs} orgId={orgId} now={now} />
          ) : (
            <Nothing>The chatrooms are being counted. Look again in a moment.</Nothing>
          )}
        </div>
        <MovedNumbers numbers={movedNumbers} />
        <RemovedUsers users={removedUsers} />
        {sweeps && <Sweeps sweeps={sweeps} />}
      </>
    ),
  })
}

function Sweeps({ sweeps }: { sweeps: Heartbeats['sweeps'] }) {
  return (
    <section aria-labelledby="sweeps">
      <h2 id="sweeps">Sweeps</h2>
      <ul class="sweeps">
        {Object.entries(sweeps).map(([name, age]) => (
          <li>
            <b>{name}</b> {age === null ? 'has not finished yet' : `finished ${duration(age)} ago`}
          </li>
        ))}
      </ul>
    </section>
  )
}
