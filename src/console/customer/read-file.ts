import type { Db } from '../../db/client.ts'
import { type CustomerView, readCustomerById } from '../../identity/read-customer.ts'
import { type Explanation, explainRoute } from '../../routing/explain.ts'
import { customerRooms, type RoomView } from './rooms.ts'
import { type TimelineEvent, type TimelineMessage, timelineEvents, timelineMessages } from './timeline.ts'

/** Everything the console shows of one customer. */
export type CustomerFile = CustomerView & {
  orgId: string
  rooms: RoomView[]
  messages: TimelineMessage[]
  events: TimelineEvent[]
  /** What would happen to a text of this customer now, at each number that matters. */
  forecasts: { phoneId: string; number: string; explanation: Explanation }[]
}

type Asked = { orgId: string; customerId: string; withText: boolean; now: Date }

const MOST_NUMBERS = 5

/** The customer with chatrooms, timeline and forecast; undefined when the org has no such customer. */
export async function readCustomerFile(
  db: Db,
  { orgId, customerId, withText, now }: Asked,
): Promise<CustomerFile | undefined> {
  const view = await readCustomerById(db, orgId, customerId)
  if (!view) return undefined
  const rooms = await customerRooms(db, orgId, customerId)
  const whose = { orgId, customerId, roomIds: rooms.map((room) => room.id) }
  const [messages, events, forecasts] = await Promise.all([
    timelineMessages(db, whose, withText),
    timelineEvents(db, whose),
    forecast(db, { orgId, view, rooms, now }),
  ])
  return { ...view, orgId, rooms, messages, events, forecasts }
}

type Subject = { orgId: string; view: CustomerView; rooms: RoomView[]; now: Date }

/** At the numbers where the customer has chatrooms; without any, at the org's first ones. */
async function forecast(db: Db, { orgId, view, rooms, now }: Subject): Promise<CustomerFile['forecasts']> {
  const sender = senderOf(view)
  if (!sender) return []
  const known = new Map(rooms.map((room) => [room.phoneId, room.number]))
  const numbers = known.size > 0 ? known : await firstNumbers(db, orgId)
  const asked = [...numbers].slice(0, MOST_NUMBERS).map(async ([phoneId, number]) => ({
    phoneId,
    number,
    explanation: await explainRoute(db, { orgId, phoneId, sender, now }),
  }))
  return Promise.all(asked)
}

/** As Meta would name the customer: by phone where one is known. */
function senderOf({ aliases }: CustomerView): { phone?: string; userId?: string } | undefined {
  const known = (kind: string) => aliases.find((alias) => alias.kind === kind)?.value
  const waId = known('wa_id')
  const phone = waId ? `+${waId}` : known('phone')
  const userId = known('bsuid')
  if (phone) return { phone }
  return userId ? { userId } : undefined
}

async function firstNumbers(db: Db, orgId: string): Promise<Map<string, string>> {
  const { rows } = await db.$client.query<{ id: string; number: string }>({
    name: 'console-first-numbers',
    text: `select id, display_phone_number as number from waba_phones where org_id = $1
      order by position, id limit ${MOST_NUMBERS}`,
    values: [orgId],
  })
  return new Map(rows.map((row) => [row.id, row.number]))
}
