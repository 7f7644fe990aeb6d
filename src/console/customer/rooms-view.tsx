import { Nothing } from '../ui/empty.tsx'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import type { RoomView } from './rooms.ts'

/** The customer's chatrooms as a table. */
export function Chatrooms({ rooms }: { rooms: RoomView[] }) {
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms">Chatrooms</h2>
      {rooms.length === 0 && (
        <Nothing>No chatroom. What would become of a message now is said above.</Nothing>
      )}
      {rooms.length > 0 && (
        <Table
          label="Chatrooms"
          head={['State', 'Contact', 'Number', 'Created', 'Last inbound', 'Ended', 'Users']}
        >
          {rooms.map((room) => (
            <ChatroomRow room={room} />
          ))}
        </Table>
      )}
    </section>
  )
}

function ChatroomRow({ room }: { room: RoomView }) {
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
    </tr>
  )
}
