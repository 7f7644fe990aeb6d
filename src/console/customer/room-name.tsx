import type { RoomView } from './rooms.ts'

type Props = {
  /** The chatrooms on the page. */
  rooms: RoomView[]
  id: string
  /** Of a chatroom that may be on another page. */
  crmId?: string | null
}

/** Names a chatroom by its contact's `crm_id`, which operators know better than the chatroom's id. */
export function RoomName({ rooms, id, crmId }: Props) {
  const room = rooms.find((other) => other.id === id)
  if (room) return <a href={`#room-${id}`}>chatroom of {room.crmId}</a>
  return <span>{crmId ? `chatroom of ${crmId}` : `chatroom ${id}`}</span>
}
