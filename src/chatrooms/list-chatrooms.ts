import { MAX, NIL } from 'uuid'
import type { Db } from '../db/client.ts'
import { run } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { RoomState } from '../rules/room.ts'
import { encodePlace, type Place } from './list-cursor.ts'
import { ALL, ASSIGNED, WAITING } from './list-sql.ts'

/** What a list of chatrooms shall hold. */
type Wanted = {
  orgId: string
  state: RoomState
  /** Only chatrooms of this user. */
  assignedTo?: string | undefined
  /** True: only chatrooms whose customer waits for an answer; false: only the others. */
  waiting?: boolean | undefined
  before?: Place | undefined
  limit: number
}

/** A chatroom of a list. */
export type ListedChatroom = {
  id: string
  state: RoomState
  displayName: string
  contactId: string
  crmId: string
  firstName: string | null
  lastName: string | null
  phone: string | null
  wabaId: string
  remotePhoneId: string
  assignedTo: string | null
  handoverTo: string | null
  lastAt: Date | null
  lastDirection: 'in' | 'out' | 'echo' | null
  lastType: string | null
  waitingSince: Date | null
  createdAt: Date
}

/** `endId`, `endSince`: the last chatroom that a page may look at; null when there are fewer. */
type Row = ListedChatroom & { endId: string | null; endSince: Date | null }

/**
 * A page of the org's chatrooms. Those that wait come first that wait longest; others come newest first. With a filter, a
 * page looks at a limited number of chatrooms, so it may be short or empty before the end.
 * @throws ApiError INVALID_INPUT for a cursor of a list in another order, and if chatrooms that are not active shall wait
 */
export async function listChatrooms(
  db: Db,
  wanted: Wanted,
): Promise<{ chatrooms: ListedChatroom[]; next: string | null }> {
  const { before, limit, waiting, state } = wanted
  if (waiting && state !== 'active') {
    throw new ApiError('INVALID_INPUT', 'waiting: only active chatrooms wait for an answer')
  }
  if (before && (before.since !== null) !== (waiting === true)) {
    throw new ApiError('INVALID_INPUT', 'before: is of a list in another order')
  }
  const rows = await run(db, { ...statementOf(wanted), read: (found: Row[]) => found })
  const found = rows.filter((row) => row.id !== null)
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const [end] = rows
  if (found.length > limit && last) return { chatrooms: page, next: encodePlace(placeOf(wanted, last)) }
  const rest = end?.endId ? encodePlace({ since: end.endSince, id: end.endId }) : null
  return { chatrooms: page, next: rest }
}

function placeOf({ waiting }: Wanted, { id, waitingSince }: ListedChatroom): Place {
  return { id, since: waiting ? waitingSince : null }
}

function statementOf({ orgId, state, assignedTo, waiting, before, limit }: Wanted) {
  const filter = [limit + 1, state, assignedTo ?? null, waiting ?? null]
  if (waiting) {
    const since = before?.since ?? '-infinity'
    return {
      name: 'list-waiting-chatrooms',
      text: WAITING,
      values: [orgId, before?.id ?? NIL, ...filter, since],
    }
  }
  const values = [orgId, before?.id ?? MAX, ...filter]
  return assignedTo !== undefined && state === 'active'
    ? { name: 'list-assigned-chatrooms', text: ASSIGNED, values }
    : { name: 'list-chatrooms', text: ALL, values }
}
