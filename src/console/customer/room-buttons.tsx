import type { UserName } from './list-users.ts'
import type { RoomView } from './rooms.ts'

const USERS_LIST = 'users'

type Props = {
  orgId: string
  customerId: string
  room: RoomView
}

/** The path of a change of a chatroom, below `/console`. */
export const CHANGE_PATH = '/customer/rooms'

/** The buttons of a chatroom: deactivate or activate it, and give it to another user. An expired one has none. */
export function RoomButtons({ orgId, customerId, room: { id, state, crmId, hasRival } }: Props) {
  if (state === 'expired') return null
  const path = `/console${CHANGE_PATH}/${encodeURIComponent(orgId)}/${id}`
  const customer = <input type="hidden" name="customer" value={customerId} />
  const change = state === 'active' ? 'deactivate' : 'activate'
  const title = state === 'active' ? 'Deactivate' : 'Activate'
  return (
    <div class="actions">
      <form class="bar" method="post" action={`${path}/${change}`}>
        {customer}
        {state === 'deactivated' && hasRival && (
          <label>
            <input type="checkbox" name="force" value="true" required /> deactivate the active one
          </label>
        )}
        <button type="submit" aria-label={`${title} the chatroom of ${crmId}`}>
          {title}
        </button>
      </form>
      <form class="bar" method="post" action={`${path}/reassign`}>
        {customer}
        <input
          name="user"
          list={USERS_LIST}
          placeholder="id of a user"
          aria-label={`User for the chatroom of ${crmId}`}
          required
        />
        <label>
          <input type="checkbox" name="later" value="true" /> when the customer writes next
        </label>
        <button type="submit" aria-label={`Reassign the chatroom of ${crmId}`}>
          Reassign
        </button>
      </form>
    </div>
  )
}

/** The users to choose from. */
export function UserSuggestions({ users }: { users: UserName[] }) {
  return (
    <datalist id={USERS_LIST}>
      {users.map(({ id, name }) => (
        <option value={id}>{name}</option>
      ))}
    </datalist>
  )
}
