import { CUSTOMER_PATH, queryString } from '../ui/format.ts'
import type { OrgName } from '../ui/list-orgs.ts'
import { encodePlace } from '../ui/place.ts'
import type { RoomPlace } from './rooms.ts'
import type { TimelinePlace } from './timeline.ts'

/** What the page was asked for: the search text `words` in one org or in all, with or without message text. */
export type CustomerQuery = {
  orgs: OrgName[]
  orgId: string | undefined
  words: string
  withText: boolean
  /** What the timeline shows: one kind of entries, those of one chatroom, or all. */
  show: 'messages' | 'changes' | undefined
  room: string | undefined
  /** The places behind which chatrooms and timeline begin. */
  rooms: RoomPlace | undefined
  before: TimelinePlace | undefined
}

type Asked = Pick<CustomerQuery, 'words' | 'withText' | 'show' | 'room' | 'rooms' | 'before'>

/** The address of the page of a customer, as it is asked for. */
export function customerPathOf(
  { orgId, customer }: { orgId: string; customer: { id: string } },
  { words, withText, show, room, rooms, before }: Asked,
): string {
  const parameters = {
    ...{ org: orgId, q: words, id: customer.id, show, room },
    text: withText ? 'show' : undefined,
    rooms: rooms && encodePlace(rooms),
    before: before && encodePlace(before),
  }
  return CUSTOMER_PATH + queryString(parameters)
}
