import { count } from '../ui/format.ts'
import { Moment, Table } from '../ui/parts.tsx'
import type { RemovedUser } from './removed-users.ts'

/** The users who left, and the chatrooms that went to the delegate or to nobody; nothing when none has left. */
export function RemovedUsers({ users }: { users: RemovedUser[] }) {
  if (users.length === 0) return null
  return (
    <section aria-labelledby="left">
      <h2 id="left">Users who left</h2>
      <Table label="Users who left" head={['Org', 'User', 'Id', 'Left', 'Chatrooms released']}>
        {users.map(({ orgId, id, name, since, chatrooms, isReleased }) => (
          <tr>
            <td>{orgId}</td>
            <th scope="row">{name}</th>
            <td>{id}</td>
            <td>
              <Moment at={since} />
            </td>
            <td>{isReleased ? count(chatrooms) : `${count(chatrooms)} so far`}</td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
