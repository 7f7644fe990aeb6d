import { insertEvents } from '../audit/record-events.ts'
import { columns, text, uuid } from '../db/columns.ts'
import type { DEACTIVATION_REASONS } from '../db/schema/index.ts'
import { nothing, over, type Statement } from '../db/statement.ts'

export type DeactivationReason = (typeof DEACTIVATION_REASONS)[number]

type Key = { orgId: string; id: string }

type Deactivation = {
  orgId: string
  customerId: string
  rooms: { id: string; contactId: string }[]
  reason: DeactivationReason
  actor: string
  now: Date
}

const ROOMS = columns<Key>({ org_id: text((r) => r.orgId), id: uuid((r) => r.id) })

/** Deactivates active chatrooms of a customer, with their audit. The customer must be locked. */
export function deactivateRooms({ orgId, rooms, reason, now, ...who }: Deactivation): Statement<void>[] {
  const keys = rooms.map(({ id }) => ({ orgId, id }))
  const update = over(ROOMS, keys, {
    name: 'deactivate-rooms',
    text: `update chatrooms r set deactivated_at = $3, deactivation_reason = $4 from ${ROOMS.as('u')}
      where r.org_id = u.org_id and r.id = u.id and r.deactivated_at is null and r.expired_at is null`,
    values: [now, reason],
    read: nothing,
  })
  const events = rooms.map(({ id, contactId }) => ({
    ...{ orgId, ...who, contactId, chatroomId: id },
    kind: 'chatroom.deactivated' as const,
    reason,
    before: { state: 'active' },
    after: { state: 'deactivated', at: now },
  }))
  return [update, insertEvents(events)]
}
