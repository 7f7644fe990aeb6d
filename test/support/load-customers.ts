import { randomBytes } from 'node:crypto'
import type { Db } from '../../src/db/client.ts'
import { inTransaction } from '../../src/db/transaction.ts'
import type { TestOrg } from './org.ts'

const PART = 2_500

/**
 * Adds customers to the org, each with a chatroom, a user, messages (one, unless said otherwise) and an event, and then
 * analyzes the tables.
 */
export async function loadCustomers(
  db: Db,
  org: TestOrg,
  customers: number,
  users: string[],
  messagesOfEach = 1,
): Promise<void> {
  const prefix = randomBytes(8).toString('hex')
  for (let loaded = 0; loaded < customers; loaded += PART) {
    const count = Math.min(PART, customers - loaded)
    await loadPart(db, org, users, { count, messagesOfEach, prefix, loaded })
  }
  await db.$client.query('analyze')
}

/** Ids begin with the prefix and rise, as those of Usher do: indexes over random ones take minutes to grow to a million rows. */
type Part = { count: number; messagesOfEach: number; prefix: string; loaded: number }

async function loadPart(db: Db, org: TestOrg, users: string[], part: Part): Promise<void> {
  await inTransaction(db, async (tx) => {
    // Triggers and foreign keys take most of the time, and plans do not depend on them.
    await tx.$client.query('set local session_replication_role = replica')
    await insertPart(tx, org, users, part)
  })
}

async function insertPart(tx: Db, org: TestOrg, users: string[], part: Part): Promise<void> {
  const { count, messagesOfEach, prefix, loaded } = part
  await tx.$client.query(
    `with c as (
       insert into customers (org_id, id)
       select $1, ($6 || lpad(to_hex(n), 16, '0'))::uuid from generate_series($7::int, $7::int + $4::int - 1) n returning id),
     a as (
       insert into customer_aliases (org_id, kind, value, customer_id) select $1, 'wa_id', 'w' || id, id from c),
     k as (
       insert into contacts (org_id, id, customer_id, crm_id) select $1, id, id, id::text from c),
     m as (
       insert into contact_wabas (org_id, contact_id, waba_phone_id) select $1, id, $2 from c),
     r as (
       insert into chatrooms (org_id, id, contact_id, customer_id, waba_phone_id, display_name, deactivated_at,
         pending_user_id, assigned_user_id)
       select $1, id, id, id, $2, 'x', case when random() < 0.3 then now() end,
         case when random() < 0.02 then 'bob' end, ($3::text[])[1 + floor(random() * 4)] from c),
     w as (
       insert into waiting_chatrooms (org_id, chatroom_id, since)
       select $1, id, now() - random() * interval '2 days' from c where random() < 0.05),
     u as (
       insert into chatroom_members (org_id, chatroom_id, user_id)
       select $1, id, ($3::text[])[1 + floor(random() * 4)] from c),
     g as (
       insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
         received_at, seq, route, reason, payload)
       select $1, 'w' || id || '-' || n, $2, id, case when random() < 0.9 then id end, 'in', 'text',
         now() - random() * interval '30 days', now(), (random() * 1e12)::bigint, 'held', 'x', '{}' from c, generate_series(1, $5) n)
     insert into events (org_id, id, kind, actor, customer_id, contact_id, chatroom_id)
     select $1, gen_random_uuid(), 'chatroom.created', 'x', id, id, id from c`,
    [org.id, org.phones[0], users, count, messagesOfEach, prefix, loaded],
  )
}
