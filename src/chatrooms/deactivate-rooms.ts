import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import type { DEACTIVATION_REASONS } from '../db/schema/index.ts'

export type DeactivationReason = (typeof DEACTIVATION_REASONS)[number]

type Deactivation = {
  orgId: string
  customerId: string
  rooms: { id: string; contactId: string }[]
  reason: DeactivationReason
  actor: string
  now: Date
}

/** Deactivates active chatrooms of a customer, with their audit. The customer must be locked. */
export async function deactivateRooms(
  tx: Db,
  { orgId, rooms, reason, now, ...who }: Deactivation,
): Promise<void> {
  if (rooms.length === 0) return
  await tx.$client.query({
    name: 'deactivate-rooms',
    text: `update chatrooms set deactivated_at = $3, deactivation_reason = $4
      where org_id = $1 and id = any($2::uuid[]) and deactivated_at is null and expired_at is null`,
    values: [orgId, rooms.map((r) => r.id), now, reason],
  })
  await recordEvents(
    tx,
    rooms.map(({ id, contactId }) => ({
      orgId,
      ...who,
      kind: 'chatroom.deactivated',
      reason,
      contactId,
      chatroomId: id,
      before: { state: 'active' },
      after: { state: 'deactivated', at: now },
    })),
  )
}
