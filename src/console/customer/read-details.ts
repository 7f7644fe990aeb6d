import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'
import { type CustomerView, readCustomerById } from '../../identity/read-customer.ts'
import { type Explanation, explainRoute } from '../../routing/explain.ts'
import { listUsers, type UserName } from './list-users.ts'
import { customerRooms, type RoomView } from './rooms.ts'
import { type TimelineEvent, type TimelineMessage, timelineEvents, timelineMessages } from './timeline.ts'

/** Everything the console shows about one customer. */
export type CustomerDetails = CustomerView & {
  orgId: string
  rooms: RoomView[]
  messages: TimelineMessage[]
  events: TimelineEvent[]
  /** The users to whom a chatroom can be assigned. */
  users: UserName[]
  /** How a text message from this customer would be routed now, at up to five numbers. */
  forecasts: { remotePhoneId: string; number: string; explanation: Explanation }[]
}

type DetailsQuery = { orgId: string; customerId: string; withText: boolean; now: Date }

const MAX_NUMBERS = 5

/** Reads the details of a customer, with message payloads only `withText`; undefined when the org has no such customer. */
export async function readCustomerDetails(
  db: Db,
  { orgId, customerId, withText, now }: DetailsQuery,
): Promise<CustomerDetails | undefined> {
  const view = await readCustomerById(db, orgId, customerId)
  if (!view) return undefined
  const rooms = await customerRooms(db, orgId, customerId)
  const subject = { orgId, customerId, roomIds: rooms.map((room) => room.id) }
  const [messages, events, users, forecasts] = await Promise.all([
    timelineMessages(db, subject, withText),
    timelineEvents(db, subject),
    listUsers(db, orgId),
    forecast(db, { orgId, view, rooms, now }),
  ])
  return { ...view, orgId, rooms, messages, events, users, forecasts }
}

type ForecastQuery = { orgId: string; view: CustomerView; rooms: RoomView[]; now: Date }

/** Covers the numbers at which the customer has chatrooms; for a customer without chatrooms, the org's first numbers. */
async function forecast(
  db: Db,
  { orgId, view, rooms, now }: ForecastQuery,
): Promise<CustomerDetails['forecasts']> {
  const sender = senderOf(view)
  if (!sender) return []
  const known = new Map(rooms.map((room) => [room.remotePhoneId, room.number]))
  const numbers = known.size > 0 ? known : await firstNumbers(db, orgId)
  const forecasts = [...numbers].slice(0, MAX_NUMBERS).map(async ([remotePhoneId, number]) => ({
    remotePhoneId,
    number,
    explanation: await explainRoute(db, { orgId, remotePhoneId, sender, now }),
  }))
  return Promise.all(forecasts)
}

/** The customer as Meta would name the sender: by phone, or by BSUID when no phone is known. */
function senderOf({ aliases }: CustomerView): { phone?: string; userId?: string } | undefined {
  const known = (kind: string) =>
    aliases.find((alias) => alias.kind === kind && alias.givenUpAt === null)?.value
  const waId = known('wa_id')
  const phone = waId ? `+${waId}` : known('phone')
  const userId = known('bsuid')
  if (phone) return { phone }
  return userId ? { userId } : undefined
}

function firstNumbers(db: Db, orgId: string): Promise<Map<string, string>> {
  return run(db, {
    name: 'console-first-numbers',
    text: `select remote_id as id, display_phone_number as number from waba_phones where org_id = $1
      order by position, id limit ${MAX_NUMBERS}`,
    values: [orgId],
    read: (rows: { id: string; number: string }[]) => new Map(rows.map(({ id, number }) => [id, number])),
  })
}
