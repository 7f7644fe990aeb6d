import type { Db } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { type CustomerRoom, type LifecycleOrg, settleOverdueRooms } from './settle-overdue-rooms.ts'

/** A contact whose customer is locked. `phoneId`: the number of its WABA mapping. */
export type LockedContact = {
  id: string
  customerId: string
  /** What its chatrooms are called: CRM id, first and last name. */
  name: string
  phoneId: string | null
  isExpired: boolean
  /** All chatrooms of its customer, other contacts' too, settled as of now. */
  rooms: CustomerRoom[]
}

/**
 * Locks the contact's customer until the transaction ends and reads what is decided upon.
 * @throws ApiError CONTACT_NOT_FOUND
 */
export async function lockContact(tx: Db, org: LifecycleOrg, id: string, now: Date): Promise<LockedContact> {
  const { customer_id: customerId } = await readContact(tx, org.id, id)
  await lockCustomers(tx, [{ orgId: org.id, id: customerId }])
  const rooms = await settleOverdueRooms(tx, org, customerId, now)
  const row = await readContact(tx, org.id, id)
  return {
    id,
    customerId,
    name: [row.crm_id, row.first_name, row.last_name].filter(Boolean).join(' '),
    phoneId: row.waba_phone_id,
    isExpired: row.expiry_ts !== null && row.expiry_ts <= now,
    rooms,
  }
}

type ContactRow = {
  customer_id: string
  crm_id: string
  first_name: string | null
  last_name: string | null
  waba_phone_id: string | null
  expiry_ts: Date | null
}

async function readContact(tx: Db, orgId: string, id: string): Promise<ContactRow> {
  const { rows } = await tx.$client.query<ContactRow>({
    name: 'read-contact-to-lock',
    text: `select c.customer_id, c.crm_id, c.first_name, c.last_name, m.waba_phone_id,
        coalesce(c.expired_at, c.created_at + o.expiry_days * interval '24 hours') as expiry_ts
      from contacts c
      join orgs o on o.id = c.org_id
      left join contact_wabas m on m.org_id = c.org_id and m.contact_id = c.id
      where c.org_id = $1 and c.id = $2`,
    values: [orgId, id],
  })
  const [row] = rows
  if (!row) throw new ApiError('CONTACT_NOT_FOUND')
  return row
}
