import { recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { nothing, run, type Statement, send } from '../db/statement.ts'
import { lockCustomers } from '../identity/lock-customers.ts'
import { lockNames } from '../identity/lock-names.ts'
import { NOBODY } from '../identity/person.ts'
import { readNames } from '../identity/read-customer.ts'
import type { OpenErasure, Step } from './erasure-row.ts'
import { readPerson } from './find-person.ts'

/**
 * What becomes of the rows of the customers $2 of the org $1, in this order. The contacts and chatrooms stay, expired and
 * without a name, so that counts stay right. A message that is being sent stays in the outbox until its request ends.
 */
const ERASES = {
  'erase-pairs': `select from outbox_pairs where org_id = $1 and customer_id = any($2::uuid[])
    order by org_id, customer_id, waba_phone_id for update`,
  'erase-outbox': `delete from outbox where org_id = $1 and customer_id = any($2::uuid[]) and state <> 'sending'`,
  'erase-aliases': 'delete from customer_aliases where org_id = $1 and customer_id = any($2::uuid[])',
  'erase-former-aliases': 'delete from former_aliases where org_id = $1 and customer_id = any($2::uuid[])',
  'erase-customers': `update customers set profile_name = null, wa_id = null, wa_id_at = null, opted_out_at = null,
      preference_at = null, marketing_paused_until = null, erased_at = now()
    where org_id = $1 and id = any($2::uuid[])`,
  'erase-members': `delete from chatroom_members where org_id = $1 and chatroom_id = any(array(
      select id from chatrooms where org_id = $1 and customer_id = any($2::uuid[])))`,
  'erase-chatrooms': `update chatrooms set display_name = 'erased', external_ref_id = null, pending_user_id = null,
      last_inbound_at = null, last_auto_reply_at = null, auto_replies_since = null,
      expired_at = coalesce(expired_at, now())
    where org_id = $1 and customer_id = any($2::uuid[])`,
  'erase-mappings': `delete from contact_wabas where org_id = $1 and contact_id = any(array(
      select id from contacts where org_id = $1 and customer_id = any($2::uuid[])))`,
  'erase-contacts': `update contacts set crm_id = 'erased-' || id, phone = null, first_name = null, last_name = null,
      opt_in_date = null, governance_level_id = null, stage = null, disposition = null, additional_fields = null,
      expired_at = coalesce(expired_at, now())
    where org_id = $1 and customer_id = any($2::uuid[])`,
  'erase-calls': 'delete from last_calls where org_id = $1 and customer_id = any($2::uuid[])',
}

/**
 * Makes a person nobody, in one transaction: no name leads to the customers any more, and no chatroom is active. The locks
 * are taken in the usual order. Who the person was stays in the erasure until it is finished.
 */
export async function erasePeople(tx: Db, erasure: OpenErasure): Promise<Step> {
  const { orgId, actor, person } = erasure
  const customerId = await run(tx, readSurvivor(orgId, erasure.customerId))
  const names = await run(tx, readNames(orgId, customerId))
  await send(tx, [lockNames([{ ...NOBODY, orgId, names }]), lockCustomers([{ orgId, id: customerId }])])
  const now = await readPerson(tx, orgId, customerId)
  const { customerIds } = now
  const search = await run(tx, readSearch(orgId, customerIds))
  await send(
    tx,
    Object.entries(ERASES).map(([name, text]) => ({
      name,
      text,
      values: [orgId, customerIds],
      read: nothing,
    })),
  )
  await recordEvents(tx, [{ orgId, kind: 'customer.erased', actor, reason: 'asked for', customerId }])
  const values = [...new Set([...person.values, ...now.values])]
  return { person: { customerIds, values, search } }
}

/** The customer, or the one that it was merged into since the erasure was asked for. */
function readSurvivor(orgId: string, customerId: string): Statement<string> {
  return {
    name: 'read-survivor',
    text: `with recursive way as (
        select id, merged_into from customers where org_id = $1 and id = $2
        union
        select c.id, c.merged_into from way w join customers c on c.org_id = $1 and c.id = w.merged_into)
      select id from way where merged_into is null`,
    values: [orgId, customerId],
    read: ([row]: { id: string }[]) => row?.id ?? customerId,
  }
}

/** The ids by which stored answers name the person: of contacts, also the CRM's, and of chatrooms. */
function readSearch(orgId: string, customerIds: string[]): Statement<string[]> {
  return {
    name: 'read-ids-to-erase',
    text: `select id::text as id from chatrooms where org_id = $1 and customer_id = any($2::uuid[])
      union all
      select unnest(array[id::text, to_json(crm_id)::text]) from contacts where org_id = $1 and customer_id = any($2::uuid[])`,
    values: [orgId, customerIds],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}
