import { renderPage, type Shell } from '../ui/layout.tsx'
import type { OrgName } from '../ui/list-orgs.ts'
import { OrgForm } from '../ui/parts.tsx'
import { Agents } from './agents-view.tsx'
import type { GroupName } from './list-agents.ts'
import { OrgList } from './orgs-view.tsx'
import { TEAM_PATH, type TeamQuery, teamPath } from './paths.ts'
import type { OrgWaits } from './read-waits.ts'
import { WaitList } from './waits-view.tsx'

/** What the page shows of one org. */
export type Team = Omit<Parameters<typeof Agents>[0], 'query' | 'now'> &
  Omit<Parameters<typeof WaitList>[0], 'query' | 'now'> & { groups: GroupName[] }

type Props = { orgs: OrgName[]; query: TeamQuery; now: Date } & (
  | { team: Team; waits?: undefined }
  | { team?: undefined; waits: OrgWaits[] }
)

/** Who has how much to do: of one org its agents and the customers who wait; without one, the orgs. */
export function renderTeam(shell: Shell, { orgs, query, now, team, waits }: Props): string {
  return renderPage({
    shell,
    title: 'Team',
    here: TEAM_PATH,
    children: (
      <>
        <div class="head">
          <h1>Team</h1>
          <OrgForm action={TEAM_PATH} orgs={orgs} orgId={query.org} />
        </div>
        {team ? (
          <>
            <Groups groups={team.groups} query={query} />
            <Agents {...team} query={query} now={now} />
            <WaitList {...team} query={query} now={now} />
          </>
        ) : (
          <OrgList orgs={orgs} waits={waits} now={now} />
        )}
      </>
    ),
  })
}

/** Links to the groups of the org; none if it has no group. */
function Groups({ groups, query: { org, group } }: { groups: GroupName[]; query: TeamQuery }) {
  if (groups.length === 0) return null
  const links = [{ id: undefined, name: 'All agents' }, ...groups]
  return (
    <nav aria-label="Groups">
      {links.map(({ id, name }) => (
        <a href={teamPath({ org, group: id })} aria-current={id === group ? 'true' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  )
}
