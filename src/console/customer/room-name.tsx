import type { RoomView } from './rooms.ts'

/** Names a chatroom by its contact's `crm_id`, which operators know better than the chatroom's id. */
export function RoomName({ rooms, id }: { rooms: RoomView[]; id: string }) {
  const room = rooms.find((other) => other.id === id)
  return room ? <a href={`#room-${id}`}>chatroom of {room.crmId}</a> : <span>chatroom {id}</span>
}
