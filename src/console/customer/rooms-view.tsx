import type { ComponentChildren } from 'preact'
import { Nothing } from '../ui/empty.tsx'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import type { CustomerDetails } from './read-details.ts'
import { RoomButtons, UserSuggestions } from './room-buttons.tsx'
import type { RoomView } from './rooms.ts'

type Props = { details: CustomerDetails; readOnly: boolean }

/** The customer's chatrooms as a table, with buttons to change them unless `readOnly`. */
export function Chatrooms({ details, readOnly }: Props) {
  const { rooms, users } = details
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms">Chatrooms</h2>
      {rooms.length === 0 && (
        <Nothing>No chatroom. What would become of a message now is said above.</Nothing>
      )}
      {rooms.length > 0 && (
        <Table
          label="Chatrooms"
          head={['State', 'Contact', 'Number', 'Created', 'Last inbound', 'Ended', 'Users', '']}
        >
          {rooms.map((room) => (
            <ChatroomRow room={room}>
              {!readOnly && <RoomButtons {...keyOf(details)} room={room} hasRival={hasRival(rooms, room)} />}
            </ChatroomRow>
          ))}
        </Table>
      )}
      {!readOnly && <UserSuggestions users={users} />}
    </section>
  )
}

const keyOf = ({ orgId, customer }: CustomerDetails) => ({ orgId, customerId: customer.id })

/** Another chatroom at the same number is active, and would have to be deactivated first. */
function hasRival(rooms: RoomView[], { id, remotePhoneId }: RoomView): boolean {
  return rooms.some(
    (other) => other.id !== id && other.remotePhoneId === remotePhoneId && other.state === 'active',
  )
}

function ChatroomRow({ room, children }: { room: RoomView; children: ComponentChildren }) {
  return (
    <tr id={`room-${room.id}`}>
      <td>
        <Badge of={room.state} />
      </td>
      <th scope="row">
        {room.crmId}
        <br />
        <small class="dim">{room.id}</small>
      </th>
      <td>
        {room.number}
        <br />
        <small class="dim">{room.remotePhoneId}</small>
      </td>
      <td>
        <Moment at={room.createdAt} />
      </td>
      <td>{room.lastInboundAt ? <Moment at={room.lastInboundAt} /> : 'none'}</td>
      <td>
        {room.expiredAt ? 'expired ' : (room.deactivationReason ?? '')}{' '}
        {(room.expiredAt ?? room.deactivatedAt) && (
          <Moment at={room.expiredAt ?? room.deactivatedAt ?? room.createdAt} />
        )}
      </td>
      <td>{room.userIds.join(', ') || 'none'}</td>
      <td>{children}</td>
    </tr>
  )
}
