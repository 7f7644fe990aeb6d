import { NoOrgs } from '../ui/empty.tsx'
import { count, duration } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { Table } from '../ui/parts.tsx'
import { teamPath } from './paths.ts'
import { MAX_OF_ORG, type OrgWaits } from './read-waits.ts'

/** Each org with its customers who wait, to choose one. */
export function OrgList({ orgs, waits, now }: { orgs: OrgName[]; waits: OrgWaits[]; now: Date }) {
  if (orgs.length === 0) return <NoOrgs />
  return (
    <section aria-labelledby="orgs">
      <h2 id="orgs">Orgs</h2>
      <Table label="Orgs" head={['Org', 'Customers waiting', 'Longest wait']}>
        {orgs.map((org) => (
          <OrgRow org={org} waits={waits.find(({ orgId }) => orgId === org.id)} now={now} />
        ))}
      </Table>
    </section>
  )
}

function OrgRow({ org, waits, now }: { org: OrgName; waits: OrgWaits | undefined; now: Date }) {
  const { waiting = 0, oldest = null } = waits ?? {}
  return (
    <tr>
      <th scope="row">
        <a href={teamPath({ org: org.id })}>{org.name}</a>
      </th>
      <td>{waiting > MAX_OF_ORG ? `${count(MAX_OF_ORG)}+` : count(waiting)}</td>
      <td>{oldest ? duration((now.getTime() - oldest.getTime()) / 1000) : '–'}</td>
    </tr>
  )
}
