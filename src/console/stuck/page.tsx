import type { DeadLetter } from '../../inbox/dead-letters.ts'
import { NoOrgs } from '../ui/empty.tsx'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { DeadLetters } from './dead-letters-view.tsx'
import type { FailedSend } from './failed-sends-list.ts'
import { FailedSends } from './failed-sends-view.tsx'
import type { HeldMessage } from './held-list.ts'
import { HeldMessages } from './held-view.tsx'
import type { Parked } from './parked-list.ts'
import { ParkedDeliveries } from './parked-view.tsx'
import { type Replay, ReplayBanner } from './replay-banner.tsx'
import { STUCK } from './replay-buttons.tsx'

type Stuck = {
  orgs: OrgName[]
  orgId: string | undefined
  held: HeldMessage[]
  sends: FailedSend[]
  parked: Parked[]
  dead: DeadLetter[]
  /** The id before which the next page of dead letters begins; undefined when there are no more. */
  olderDead: number | undefined
  replay: Replay | undefined
}

/** Everything that has not reached a chatroom, with the reason and the remedy. */
export function renderStuck(shell: Shell, stuck: Stuck): string {
  const { orgs, orgId, held, sends, parked, dead, olderDead, replay } = stuck
  return renderPage({
    shell,
    title: 'Held & dead',
    here: STUCK,
    children: (
      <>
        <h1>Held & dead</h1>
        <p class="dim">
          Nothing here is lost. A held message joins the first chatroom that is created for its customer. A
          parked delivery is routed once its number or WABA is provisioned. A dead letter is kept until it is
          replayed. A failed send is kept for 30 days.
        </p>
        {orgs.length === 0 && <NoOrgs />}
        {replay && <ReplayBanner replay={replay} />}
        <DeadLetters letters={dead} older={olderDead} orgId={orgId} readOnly={shell.readOnly} />
        <FailedSends sends={sends} readOnly={shell.readOnly} />
        <ParkedDeliveries parked={parked} />
        <HeldMessages held={held} orgs={orgs} orgId={orgId} />
      </>
    ),
  })
}
