import { CUSTOMER_PATH } from '../ui/format.ts'
import type { CustomerQuery } from './customer-query.ts'
import type { CustomerDetails } from './read-details.ts'
import type { RoomView } from './rooms.ts'

type Props = { details: CustomerDetails; query: CustomerQuery }

/** A form that chooses which entries of the timeline are shown: of one kind, and of one chatroom. */
export function TimelineFilter({ details, query: { words, withText, show, room } }: Props) {
  const { orgId, customer, roomPage } = details
  const kept = { org: orgId, q: words, id: customer.id, text: withText ? 'show' : '' }
  return (
    <form class="bar" method="get" action={`${CUSTOMER_PATH}#timeline`}>
      {Object.entries(kept).map(
        ([name, value]) => value && <input type="hidden" name={name} value={value} />,
      )}
      <label class="field">
        <span>Entries</span>
        <select name="show">
          <option value="">Messages and changes</option>
          <option value="messages" selected={show === 'messages'}>
            Messages
          </option>
          <option value="changes" selected={show === 'changes'}>
            Changes
          </option>
        </select>
      </label>
      <RoomField rooms={roomPage.rooms} room={room} />
      <button type="submit">Filter</button>
    </form>
  )
}

/** A field to choose one of the chatrooms on the page; the chosen one may be on another page. */
function RoomField({ rooms, room }: { rooms: RoomView[]; room: string | undefined }) {
  return (
    <label class="field">
      <span>Chatroom</span>
      <select name="room">
        <option value="">All chatrooms</option>
        {room && !rooms.some(({ id }) => id === room) && (
          <option value={room} selected>
            {room}
          </option>
        )}
        {rooms.map(({ id, crmId, number, state }) => (
          <option value={id} selected={id === room}>
            {`${crmId} at ${number}, ${state}`}
          </option>
        ))}
      </select>
    </label>
  )
}
