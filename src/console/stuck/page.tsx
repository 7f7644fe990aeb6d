import type { VNode } from 'preact'
import { NoOrgs } from '../ui/empty.tsx'
import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgForm } from '../ui/parts.tsx'
import { NothingListed } from './nothing.tsx'
import { RunButton } from './replay-buttons.tsx'
import { type Total, totalText } from './search.ts'
import { LISTS, type ListName, listPath, STUCK } from './stuck-query.ts'

/** The beginning of a list; without a table where there is nothing. */
export type Brief = { list: ListName; total: Total; table: VNode | undefined }

type Stuck = { orgs: OrgName[]; orgId: string | undefined; briefs: Brief[] }

/** Everything that has not reached a chatroom: how much of it, and the beginning of each list. */
export function renderStuck(shell: Shell, { orgs, orgId, briefs }: Stuck): string {
  return renderPage({
    shell,
    title: 'Held & dead',
    here: STUCK,
    children: (
      <>
        <div class="head">
          <h1>Held & dead</h1>
          <OrgForm action={STUCK} orgs={orgs} orgId={orgId} />
        </div>
        <p class="dim">
          Nothing here is lost. A held message joins the first chatroom that is created for its customer. A
          parked delivery is routed once its number or WABA is provisioned. A dead letter is kept until it is
          replayed. A failed send is kept for 30 days.
        </p>
        {orgs.length === 0 && <NoOrgs />}
        {briefs.map((brief) => (
          <BriefList brief={brief} orgId={orgId} readOnly={shell.readOnly} />
        ))}
      </>
    ),
  })
}

type Props = { brief: Brief; orgId: string | undefined; readOnly: boolean }

function BriefList({ brief: { list, total, table }, orgId, readOnly }: Props) {
  const hasOrg = list === 'sends' || list === 'held'
  return (
    <section aria-labelledby={list}>
      <div class="head">
        <h2 id={list}>
          {LISTS[list]} <small class="dim">{totalText(total)}</small>
        </h2>
        <a class="button" href={listPath(list, hasOrg ? { org: orgId } : {})}>
          Show and filter all {LISTS[list].toLowerCase()}
        </a>
        {list === 'dead' && table && !readOnly && <RunButton list="dead" filter={{}} />}
      </div>
      {table ?? <NothingListed list={list} />}
    </section>
  )
}
