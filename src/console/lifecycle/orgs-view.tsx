import type { Changes, OrgChanges } from '../../lifecycle/changes.ts'
import { count, queryString } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { Table } from '../ui/parts.tsx'
import type { Census } from './census.ts'
import type { RoomCounts } from './count-rooms.ts'

export const LIFECYCLE_PATH = '/console/lifecycle'

/** The counts of an org that a census does not mention. */
export const NO_ROOMS: RoomCounts = { active: 0, deactivated: 0, expired: 0 }
export const NOTHING_DUE: OrgChanges = { contactsExpired: 0, chatroomsExpired: 0, chatroomsDeactivated: 0 }

/** The census with a row for each org. */
export function OrgTable({ census, orgs }: { census: Census; orgs: OrgName[] }) {
  return (
    <section aria-labelledby="orgs">
      <h2 id="orgs">Orgs</h2>
      <Table label="Orgs" head={['Org', 'Active', 'Deactivated', 'Expired', 'Due today', 'In seven days']}>
        {orgs.map((org) => (
          <OrgRow census={census} org={org} />
        ))}
      </Table>
    </section>
  )
}

function OrgRow({ census, org: { id, name } }: { census: Census; org: OrgName }) {
  const rooms = census.rooms.get(id) ?? NO_ROOMS
  return (
    <tr>
      <th scope="row">
        <a href={LIFECYCLE_PATH + queryString({ org: id })}>{name}</a>
      </th>
      <td>{count(rooms.active)}</td>
      <td>{count(rooms.deactivated)}</td>
      <td>{count(rooms.expired)}</td>
      <td>{dueIn(census.dueToday, id)}</td>
      <td>{dueIn(census.dueThisWeek, id)}</td>
    </tr>
  )
}

function dueIn(changes: Changes, orgId: string): string {
  const { chatroomsDeactivated, chatroomsExpired } = changes.get(orgId) ?? NOTHING_DUE
  return count(chatroomsDeactivated + chatroomsExpired)
}
