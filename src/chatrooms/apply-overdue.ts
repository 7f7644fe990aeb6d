import { type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { applyOverdue, type LifecycleSettings, type Transition } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import { readRooms } from './read-rooms.ts'
import { updateRooms } from './update-rooms.ts'

const ACTOR = 'lifecycle'

/** An org with the rules that let chatrooms fall asleep. */
export type LifecycleOrg = LifecycleSettings & { id: string }

/** A chatroom of a customer, with the number it is at. */
export type CustomerRoom = Room & { phoneId: string }

/**
 * The chatrooms of a customer at all numbers, overdue expiry and inactivity being done first, as routing does
 * (DESIGN section 2): a late sweep must neither block a chatroom nor keep one alive. At most the latest 50 a number.
 * The customer must be locked, in an earlier statement.
 */
export async function settleOverdueRooms(
  tx: Db,
  org: LifecycleOrg,
  customerId: string,
  now: Date,
): Promise<CustomerRoom[]> {
  const phoneIds = await readPhonesOf(tx, org.id, customerId)
  const byPhone = await readRooms(
    tx,
    phoneIds.map((phoneId) => ({ orgId: org.id, customerId, phoneId })),
  )
  const phoneOf = new Map(byPhone.flatMap((rooms, i) => rooms.map((room) => [room.id, phoneIds[i] ?? ''])))
  const { rooms, changed, transitions } = applyOverdue(byPhone.flat(), org, now)
  if (changed.length > 0) {
    const overdue = rooms.filter((r) => changed.includes(r.id)).map((room) => ({ orgId: org.id, room }))
    const expiries = await updateRooms(tx, overdue, ACTOR)
    await recordEvents(tx, [...toEvents(org.id, customerId, transitions), ...expiries])
  }
  return rooms.map((room) => ({ ...room, phoneId: phoneOf.get(room.id) ?? '' }))
}

async function readPhonesOf(tx: Db, orgId: string, customerId: string): Promise<string[]> {
  const { rows } = await tx.$client.query<{ waba_phone_id: string }>({
    name: 'read-phones-of-customer',
    text: 'select distinct waba_phone_id from chatrooms where org_id = $1 and customer_id = $2',
    values: [orgId, customerId],
  })
  return rows.map((r) => r.waba_phone_id)
}

function toEvents(orgId: string, customerId: string, transitions: Transition[]): AuditEvent[] {
  return transitions.map(({ roomId: chatroomId, contactId, from, to, at, reason }) => ({
    orgId,
    customerId,
    actor: ACTOR,
    kind: `chatroom.${to}`,
    reason,
    contactId,
    chatroomId,
    before: { state: from },
    after: { state: to, at },
  }))
}
