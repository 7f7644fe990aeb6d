import type { ComponentChildren } from 'preact'
import { Nothing } from '../ui/empty.tsx'
import { count } from '../ui/format.ts'
import { Badge, Moment, Table } from '../ui/parts.tsx'
import { type CustomerQuery, customerPathOf } from './customer-query.ts'
import type { CustomerDetails } from './read-details.ts'
import { RoomButtons, UserSuggestions } from './room-buttons.tsx'
import type { RoomView } from './rooms.ts'

type Props = { details: CustomerDetails; query: CustomerQuery; readOnly: boolean }

/** A page of the customer's chatrooms as a table, with buttons to change them unless `readOnly`. */
export function Chatrooms({ details, query, readOnly }: Props) {
  const { roomPage, roomCount, users } = details
  const { rooms, next } = roomPage
  return (
    <section aria-labelledby="rooms">
      <h2 id="rooms">
        Chatrooms <small class="dim">{count(roomCount)}</small>
      </h2>
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
              {!readOnly && <RoomButtons {...keyOf(details)} room={room} />}
            </ChatroomRow>
          ))}
        </Table>
      )}
      {next && (
        <p>
          <a href={`${customerPathOf(details, { ...query, rooms: next })}#rooms`}>More chatrooms</a>
        </p>
      )}
      {!readOnly && <UserSuggestions users={users} />}
    </section>
  )
}

const keyOf = ({ orgId, customer }: CustomerDetails) => ({ orgId, customerId: customer.id })

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
