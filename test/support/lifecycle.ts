import type pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { Db } from '../../src/db/client.ts'
import { chatrooms } from '../../src/db/schema/index.ts'
import type { OrgChanges } from '../../src/lifecycle/changes.ts'
import type { TestDatabase } from './database.ts'
import type { TestOrg, TestRoom } from './org.ts'
import { DAY } from './time.ts'

export const NO_CHANGES: OrgChanges = { contactsExpired: 0, chatroomsExpired: 0, chatroomsDeactivated: 0 }

/** The time so many days after another one. */
export const later = (date: Date, days: number): Date => new Date(date.getTime() + days * DAY)

/** A time as Meta sends it: without milliseconds. */
export const wholeSecond = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000)

export type RoomKey = { contactId: string; customerId: string }

/** Another chatroom of the contact of a room, at another number of the org. */
export async function addRoom(
  db: Db,
  org: TestOrg,
  { contactId, customerId }: RoomKey,
  { phone = '', deactivatedAt }: Pick<TestRoom, 'phone' | 'deactivatedAt'>,
): Promise<{ id: string }> {
  const id = uuidv7()
  const key = { orgId: org.id, id, contactId, customerId, wabaPhoneId: phone }
  await db.insert(chatrooms).values({ ...key, displayName: 'another', deactivatedAt })
  return { id }
}

/**
 * `count` customers with a contact and an active chatroom each, silent for 61 to 68 days; customer, contact and
 * chatroom have one id. A chatroom's display name is its place in the order in which a sweep visits them.
 */
export async function createSilentRooms(db: Db, org: TestOrg, count: number): Promise<void> {
  await db.$client.query(
    `with c as (
       insert into customers (org_id, id) select $1, gen_random_uuid() from generate_series(1, $3) returning id),
     k as (
       insert into contacts (org_id, id, customer_id, crm_id, created_at)
       select $1, id, id, id::text,
         (current_date::timestamp at time zone 'UTC') - interval '24 hours' * (61 + (hashtext(id::text) & 7)) from c
       returning id, created_at)
     insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, activated_at)
     select $1, id, id, id, $2, row_number() over (order by created_at, id), created_at from k`,
    [org.id, org.phones[0], count],
  )
}

/** Runs `work` once, just before the pool sends its next statement of this name. */
export function beforeStatement({ pool }: TestDatabase, name: string, work: () => Promise<unknown>): void {
  const original = pool.connect
  const connect = original.bind(pool) as (...args: unknown[]) => Promise<pg.PoolClient>
  pool.connect = (async (...args: unknown[]) => {
    // The pool itself connects with a callback, for statements outside of transactions.
    const client = await connect(...args)
    if (args.length > 0) return client
    const query = client.query
    const send = query.bind(client) as (...args: unknown[]) => unknown
    client.query = (async (...args: unknown[]) => {
      if ((args[0] as { name?: string }).name === name) {
        client.query = query
        pool.connect = original
        await work()
      }
      return send(...args)
    }) as typeof client.query
    return client
  }) as typeof pool.connect
}
