import type pg from 'pg'
import { CONTACT, CUSTOMER, ORG, PHONE, ROOM, USER_ID, WA_ID } from './load.ts'

/**
 * Undoes the lasting changes of a measurement, so that the next one starts with the same rooms: reactivated rooms are
 * deactivated again, and new aliases are deleted. The messages stay.
 */
export async function restoreRooms(client: pg.Client, since: Date): Promise<void> {
  await client.query(
    `update chatrooms r set deactivated_at = now() - interval '2 days', deactivation_reason = 'FORCE_DEACTIVATE'
     from messages m where m.received_at >= $1 and m.route = 'reactivated' and m.org_id = r.org_id
       and m.chatroom_id = r.id and r.deactivated_at is null and r.expired_at is null`,
    [since],
  )
  await client.query('delete from customer_aliases where created_at >= $1', [since])
  const { rowCount } = await client.query('delete from inbox')
  if (rowCount) await client.query('vacuum inbox')
}

/**
 * Outgoing messages that statuses can refer to: `wamid.<run>.out.<place>`, one each to the rooms 1, 2, ... in turn.
 */
export async function insertOutgoing(
  client: pg.Client,
  run: string,
  count: number,
  rooms: number,
): Promise<void> {
  await client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
       seq, reason, payload, status, status_at)
     select ${ORG}, 'wamid.' || $1 || '.out.' || place, ${PHONE}, ${CUSTOMER}, ${ROOM}, 'out', 'template',
       now(), now(), nextval('inbox_id_seq') * 4096, 'sent by the bench', '{"type":"template"}', null, null
     from (select place, 1 + place % $3::int as n from generate_series(0, $2::int - 1) place) p`,
    [run, count, rooms],
  )
}

/** Messages of customers in random rooms, as routing would have stored them. */
export async function insertInbound(
  client: pg.Client,
  run: string,
  count: number,
  rooms: number,
): Promise<void> {
  await client.query(
    `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
       seq, route, reason, candidates, wa_id, user_id, payload, contact)
     select ${ORG}, 'wamid.' || $1 || '.' || place, ${PHONE}, ${CUSTOMER}, ${ROOM}, 'in', 'text', now(), now(),
       nextval('inbox_id_seq') * 4096, 'active', 'the active chatroom',
       json_build_array(json_build_object('chatroom_id', ${ROOM}, 'contact_id', ${CONTACT}, 'state', 'active')),
       ${WA_ID}, ${USER_ID}, json_build_object('from', ${WA_ID}, 'type', 'text', 'text', json_build_object('body', 'hello')),
       json_build_object('wa_id', ${WA_ID})
     from (select place, 1 + floor(random() * $3::int)::int as n from generate_series(0, $2::int - 1) place) p`,
    [run, count, rooms],
  )
}
