import { Nothing } from '../ui/empty.tsx'
import { count, duration } from '../ui/format.ts'
import { Table } from '../ui/parts.tsx'
import { type Agent, MAX_AGENTS, MAX_COUNTED } from './list-agents.ts'
import { type TeamQuery, teamPath } from './paths.ts'
import type { Load } from './read-load.ts'
import { MAX_WAITS, type Waits } from './read-waits.ts'

type Props = { agents: Agent[]; waits: Waits[]; load: Load; query: TeamQuery; now: Date }

const HEAD = [
  ...['Agent', 'Groups', 'Active chatrooms', 'Waiting handovers'],
  ...['Customers waiting', 'Longest wait', 'Received, 24 h', 'Sent, 24 h'],
]

/** Lists the agents of an org or of a group with their work. The first row counts the chatrooms without an agent. */
export function Agents({ agents, waits, load, query, now }: Props) {
  const shown = agents.slice(0, MAX_AGENTS)
  const unassigned = waits.find(({ userId }) => userId === null)
  return (
    <section aria-labelledby="agents">
      <h2 id="agents">Agents</h2>
      {agents.length === 0 && <NoAgents query={query} />}
      {(agents.length > 0 || unassigned) && (
        <Table label="Agents" head={HEAD}>
          {unassigned && <NobodyRow wait={unassigned} load={load} now={now} />}
          {shown.map((agent) => (
            <AgentRow agent={agent} waits={waits} load={load} query={query} now={now} />
          ))}
        </Table>
      )}
      {agents.length > shown.length && <p class="dim">The first {MAX_AGENTS} agents by name.</p>}
      {waits.reduce((sum, { waiting }) => sum + waiting, 0) >= MAX_WAITS && (
        <p class="dim">
          Of the org's waiting customers, the {count(MAX_WAITS)} are counted that wait longest.
        </p>
      )}
      {load.isPartial && (
        <p class="dim">
          Received and sent are counted among the org's latest 5,000 messages and changes only.
        </p>
      )}
    </section>
  )
}

function NoAgents({ query }: Pick<Props, 'query'>) {
  if (query.group)
    return <Nothing>This group has no members. Provision the org's file with members for it.</Nothing>
  return (
    <Nothing>
      This org has no users yet. Add users and groups to its provision file, and run{' '}
      <code>npm run provision</code>.
    </Nothing>
  )
}

function NobodyRow({ wait, load, now }: { wait: Waits; load: Load; now: Date }) {
  return (
    <tr>
      <th scope="row">Assigned to nobody</th>
      <td />
      <td />
      <td />
      <WaitCells wait={wait} now={now} />
      <td>{count(load.received.get(null) ?? 0)}</td>
      <td />
    </tr>
  )
}

function AgentRow({ agent, waits, load, query, now }: Omit<Props, 'agents'> & { agent: Agent }) {
  const { id, name, groups, activeRooms, handovers } = agent
  return (
    <tr>
      <th scope="row">
        <a href={teamPath({ org: query.org, group: query.group, user: id })}>{name}</a>
      </th>
      <td class="wrap">{groups.join(', ')}</td>
      <td>{atLeast(activeRooms)}</td>
      <td>{atLeast(handovers)}</td>
      <WaitCells wait={waits.find(({ userId }) => userId === id)} now={now} />
      <td>{count(load.received.get(id) ?? 0)}</td>
      <td>{count(load.sent.get(id) ?? 0)}</td>
    </tr>
  )
}

function WaitCells({ wait, now }: { wait: Waits | undefined; now: Date }) {
  return (
    <>
      <td>{count(wait?.waiting ?? 0)}</td>
      <td>{wait ? duration((now.getTime() - wait.oldest.getTime()) / 1000) : '–'}</td>
    </>
  )
}

function atLeast(counted: number): string {
  return counted > MAX_COUNTED ? `${count(MAX_COUNTED)}+` : count(counted)
}
