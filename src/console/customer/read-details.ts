import type { Db } from '../../db/client.ts'
import { run } from '../../db/statement.ts'
import { type CustomerView, readCustomerById } from '../../identity/read-customer.ts'
import { type Explanation, explainRoute } from '../../routing/explain.ts'
import type { CustomerQuery } from './customer-query.ts'
import { listUsers, type UserName } from './list-users.ts'
import { type NewIdentity, readNewIdentity } from './new-identity.ts'
import { readTimeline, type TimelinePage } from './read-timeline.ts'
import { countRooms, customerRooms, type RoomPage } from './rooms.ts'

/** Everything the console shows about one customer. */
export type CustomerDetails = CustomerView & {
  orgId: string
  /** A page of the chatrooms, and how many there are, up to 10,000. */
  roomPage: RoomPage
  roomCount: number
  timeline: TimelinePage
  /** The latest sign that another person writes; undefined if there is none. */
  newIdentity: NewIdentity | undefined
  /** The users to whom a chatroom can be assigned. */
  users: UserName[]
  /** How a text message from this customer would be routed now, at up to five numbers. */
  forecasts: { remotePhoneId: string; number: string; explanation: Explanation }[]
}

type DetailsQuery = Pick<CustomerQuery, 'withText' | 'show' | 'room' | 'rooms' | 'before'> & {
  orgId: string
  customerId: string
  now: Date
}

const MAX_NUMBERS = 5

/** Reads the details of a customer, with message payloads only `withText`; undefined when the org has no such customer. */
export async function readCustomerDetails(db: Db, query: DetailsQuery): Promise<CustomerDetails | undefined> {
  const { orgId, customerId, rooms, now } = query
  const view = await readCustomerById(db, orgId, customerId)
  if (!view) return undefined
  const [roomPage, roomCount, timeline, newIdentity, users, forecasts] = await Promise.all([
    customerRooms(db, { orgId, customerId, before: rooms }),
    countRooms(db, orgId, customerId),
    readTimeline(db, query),
    readNewIdentity(db, orgId, customerId),
    listUsers(db, orgId),
    forecast(db, { orgId, customerId, view, now }),
  ])
  return { ...view, orgId, roomPage, roomCount, timeline, newIdentity, users, forecasts }
}

type ForecastQuery = { orgId: string; customerId: string; view: CustomerView; now: Date }

/** Covers the numbers at which the customer has chatrooms; for a customer without chatrooms, the org's first numbers. */
async function forecast(
  db: Db,
  { orgId, customerId, view, now }: ForecastQuery,
): Promise<CustomerDetails['forecasts']> {
  const sender = senderOf(view)
  if (!sender) return []
  const numbers = await firstNumbers(db, orgId, customerId)
  const forecasts = [...numbers].map(async ([remotePhoneId, number]) => ({
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

/** The first numbers at which the customer has chatrooms; the first ones of the org if it has none. */
function firstNumbers(db: Db, orgId: string, customerId: string): Promise<Map<string, string>> {
  return run(db, {
    name: 'console-first-numbers',
    text: `select id, number from (
        select p.remote_id as id, p.display_phone_number as number, p.position, p.id as place, exists (
          select from chatrooms r where r.org_id = p.org_id and r.customer_id = $2 and r.waba_phone_id = p.id) as used
        from waba_phones p where p.org_id = $1) p
      where used or not exists (select from chatrooms where org_id = $1 and customer_id = $2)
      order by position, place limit ${MAX_NUMBERS}`,
    values: [orgId, customerId],
    read: (rows: { id: string; number: string }[]) => new Map(rows.map(({ id, number }) => [id, number])),
  })
}
