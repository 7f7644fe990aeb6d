import { Nothing } from '../ui/empty.tsx'
import { queryString } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { Moment, OrgForm, Table } from '../ui/parts.tsx'
import type { HeldMessage } from './held-list.ts'
import { STUCK } from './replay-buttons.tsx'

/** The latest held messages of one org or of all. */
export function HeldMessages({
  held,
  orgs,
  orgId,
}: {
  held: HeldMessage[]
  orgs: OrgName[]
  orgId: string | undefined
}) {
  return (
    <section aria-labelledby="held">
      <div class="head">
        <h2 id="held">Held messages</h2>
        <OrgForm action={STUCK} orgs={orgs} orgId={orgId} />
      </div>
      {held.length === 0 && (
        <Nothing>
          No held messages. A message of a customer without a chatroom waits here if its org does not have one
          created.
        </Nothing>
      )}
      {held.length > 0 && (
        <Table label="Held messages" head={['Customer', 'Org', 'To', 'Type', 'Received', 'Reason']}>
          {held.map((message) => (
            <HeldMessageRow message={message} />
          ))}
        </Table>
      )}
    </section>
  )
}

function HeldMessageRow({ message }: { message: HeldMessage }) {
  const { orgId, wamid, sender, number, type, receivedAt, reason } = message
  return (
    <tr>
      <th scope="row">
        <a href={`/console/customer${queryString({ org: orgId, q: wamid })}`}>{sender ?? 'unknown sender'}</a>
      </th>
      <td>{orgId}</td>
      <td>{number}</td>
      <td>{type}</td>
      <td>
        <Moment at={receivedAt} />
      </td>
      <td class="wrap">{reason}</td>
    </tr>
  )
}
