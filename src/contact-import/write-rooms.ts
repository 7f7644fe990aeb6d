import { ASKED_FOR, type AuditEvent, insertEvents } from '../audit/record-events.ts'
import { pickUsers } from '../chatrooms/pick-users.ts'
import type { Db } from '../db/client.ts'
import { bool, columns, text, timestamptz, uuid } from '../db/columns.ts'
import type { Org } from '../db/schema/index.ts'
import { nothing, over, type Statement, send } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { attachHeldMessages } from '../messages/attach-held.ts'
import type { NewImportedRoom } from './plan-rooms.ts'

type Writing = { org: Org; actor: string; now: Date }
type WrittenRoom = NewImportedRoom & {
  orgId: string
  historyVisible: boolean
  createdAt: Date
  userId: string | undefined
}

/** Creates chatrooms as `openChatroom` does one: with their mappings, held messages, users, audit and events. */
export async function writeRooms(
  tx: Db,
  rooms: NewImportedRoom[],
  { org, actor, now }: Writing,
): Promise<void> {
  if (rooms.length === 0) return
  const assigned = rooms.filter((room) => room.assignee)
  const picked = await pickUsers(
    tx,
    org.id,
    assigned.flatMap((room) => room.assignee ?? []),
    now,
  )
  const users = new Map(assigned.map((room, i) => [room, picked[i]]))
  const of = { orgId: org.id, historyVisible: org.roomHistoryVisible, createdAt: now }
  const written = rooms.map((room): WrittenRoom => ({ ...room, ...of, userId: users.get(room) }))
  const [, , held] = await send(tx, [
    insertRooms(written),
    insertMembers(written.filter((room) => room.userId !== undefined && !isOnHandover(room))),
    attachHeldMessages(written),
  ])
  const heldBy = (room: WrittenRoom) => held.filter((one) => one.chatroomId === room.id).length
  await send(tx, [
    insertEvents(written.map((room) => created(room, heldBy(room), actor))),
    logEvents(held),
    insertEvents(written.flatMap((room) => assignment(room, actor))),
  ])
}

const isOnHandover = ({ candidate }: NewImportedRoom) =>
  candidate.contact.chatroom?.assign_details?.onHandover ?? false

const ROOMS = columns<WrittenRoom>({
  org_id: text((r) => r.orgId),
  id: uuid((r) => r.id),
  contact_id: uuid((r) => r.contactId),
  customer_id: uuid((r) => r.customerId),
  waba_phone_id: text((r) => r.phoneId),
  display_name: text((r) => r.displayName),
  history_visible: bool((r) => r.historyVisible),
  created_at: timestamptz((r) => r.createdAt),
  activated_at: timestamptz((r) => r.createdAt),
  pending_user_id: text((r) => (isOnHandover(r) ? r.userId : null)),
})

function insertRooms(rooms: WrittenRoom[]): Statement<void> {
  return over(ROOMS, rooms, {
    name: 'insert-imported-rooms',
    text: `with mapping as (
        insert into contact_wabas (org_id, contact_id, waba_phone_id)
        select org_id, contact_id, waba_phone_id from ${ROOMS.as('m')}
        on conflict (org_id, contact_id) do update set waba_phone_id = excluded.waba_phone_id)
      insert into chatrooms (${ROOMS.names}) select ${ROOMS.names} from ${ROOMS.as('r')}`,
    read: nothing,
  })
}

const MEMBERS = columns<WrittenRoom>({
  org_id: text((r) => r.orgId),
  chatroom_id: uuid((r) => r.id),
  user_id: text((r) => r.userId),
})

/** The first user of a chatroom sees everything in it. */
function insertMembers(rooms: WrittenRoom[]): Statement<void> {
  return over(MEMBERS, rooms, {
    name: 'insert-imported-members',
    text: `insert into chatroom_members (${MEMBERS.names}) select ${MEMBERS.names} from ${MEMBERS.as('r')}`,
    read: nothing,
  })
}

function created(room: WrittenRoom, held_messages: number, actor: string): AuditEvent {
  const after = { state: 'active', remote_phone_id: room.remoteId, held_messages }
  return { ...idsOf(room), kind: 'chatroom.created', actor, reason: ASKED_FOR, after }
}

function assignment(room: WrittenRoom, actor: string): AuditEvent[] {
  if (room.userId === undefined) return []
  const before = { user_ids: [], pending_user_id: null }
  const onHandover = isOnHandover(room)
  const kind = onHandover ? ('chatroom.handover_set' as const) : ('chatroom.assigned' as const)
  const after = onHandover
    ? { ...before, pending_user_id: room.userId }
    : { user_ids: [room.userId], pending_user_id: null }
  return [{ ...idsOf(room), kind, actor, reason: ASKED_FOR, before, after }]
}

function idsOf({ orgId, customerId, contactId, id: chatroomId }: WrittenRoom) {
  return { orgId, customerId, contactId, chatroomId }
}
