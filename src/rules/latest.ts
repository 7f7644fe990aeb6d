import { type Room, type RoomState, since } from './room.ts'

/**
 * The order in which a customer's chatrooms at a number are preferred (docs/rules.md#the-latest-chatroom), as a
 * comparator and as SQL; a property test compares the two.
 */

const RANK: Record<RoomState, number> = { active: 0, deactivated: 1, expired: 2 }

/** Active first, then deactivated, then expired; within a state the latest first, then by creation, then by id. */
export function byPreference(a: Room, b: Room): number {
  return (
    RANK[a.state] - RANK[b.state] ||
    since(b).getTime() - since(a).getTime() ||
    b.createdAt.getTime() - a.createdAt.getTime() ||
    (a.id < b.id ? 1 : -1)
  )
}

/** `byPreference` as the `order by` of `r` (chatrooms). There is one active chatroom at most, so it needs no time. */
export const PREFERRED_FIRST = `r.expired_at desc nulls first,
  case when r.expired_at is null then r.deactivated_at end desc nulls first, r.created_at desc, r.id desc`
