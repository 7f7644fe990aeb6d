import { type Database, openDatabase } from '../../src/db/client.ts'
import type { Lifetime } from '../../src/lifetime.ts'
import { FIRST_STRANGER, orgOf, phoneOf, waIdOf } from './people.ts'
import type { Side } from './sides.ts'

/** A message of the benchmark, with its row of the inbox. */
type Row = {
  seq: string
  receivedAt: Date
  message: { id: string; from: string; from_user_id: string; timestamp: string; type: string }
  contact: object
}

const LEDGER = `create table floor_ledger (like messages);
  alter table floor_ledger add primary key (org_id, wamid);
  create index floor_timeline on floor_ledger (org_id, chatroom_id, sent_at, seq)`

const TAKE = 'delete from inbox where id = any($1::bigint[]) returning id, body, received_at'

const INSERT = `insert into floor_ledger (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at,
    received_at, seq, route, reason, wa_id, user_id, payload, contact)
  select org_id, wamid, phone, customer_id, room_id, 'in', type, sent_at, received_at, seq, route, 'floor', wa_id, user_id,
    payload, contact
  from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::timestamptz[],
    $9::bigint[], $10::text[], $11::text[], $12::text[], $13::json[], $14::json[])
    as u(org_id, wamid, phone, customer_id, room_id, type, sent_at, received_at, seq, route, wa_id, user_id, payload, contact)`

const TOUCH = `update chatrooms r set last_inbound_at = greatest(r.last_inbound_at, u.sent_at)
  from (select org_id, id, max(sent_at) as sent_at
    from unnest($1::text[], $2::uuid[], $3::timestamptz[]) as u(org_id, id, sent_at)
    where id is not null group by org_id, id) u
  where r.org_id = u.org_id and r.id = u.id`

/**
 * The least that any design pays for a batch in PostgreSQL: its messages are inserted into a ledger that has a key and the
 * index of timelines, its chatrooms are updated, and its deliveries are deleted from the inbox, by three statements in a
 * transaction. Nothing is looked up, locked or checked: the ids of rows follow from the numbers of the benchmark's people.
 */
export async function openFloor(label: Side['label'], url: string, lifetime: Lifetime): Promise<Side> {
  const { db, close } = openDatabase(url, { max: 1, name: `bench-${label}`, onLost: () => {} })
  lifetime.onStop(`pool ${label}`, close)
  await db.$client.query(LEDGER)
  return { label, db, route: storeBatch }
}

/** The pool has one connection, so its statements are of one session; a failure ends the benchmark. */
async function storeBatch({ $client: client }: Database['db'], ids: number[]): Promise<void> {
  await client.query('begin; set local synchronous_commit to off')
  const taken = await client.query({ name: 'floor-take', text: TAKE, values: [ids] })
  const rows = taken.rows.flatMap(rowsOf)
  const orgs = rows.map((row) => orgOf(numberOf(row)))
  const rooms = rows.map((row) => idOf(row, '0002'))
  const times = rows.map(({ message }) => new Date(Number(message.timestamp) * 1_000))
  const values = valuesOf(rows, { orgs, rooms, times })
  const { rowCount } = await client.query({ name: 'floor-insert', text: INSERT, values })
  if (rowCount !== ids.length) throw new Error('the floor did not store each message')
  await client.query({ name: 'floor-touch', text: TOUCH, values: [orgs, rooms, times] })
  await client.query('commit')
}

type Places = { orgs: string[]; rooms: (string | null)[]; times: Date[] }

function valuesOf(rows: Row[], { orgs, rooms, times }: Places): unknown[] {
  return [
    orgs,
    rows.map(({ message }) => message.id),
    rows.map((row) => phoneOf(numberOf(row))),
    rows.map((row) => idOf(row, '0000')),
    rooms,
    rows.map(({ message }) => message.type),
    times,
    rows.map(({ receivedAt }) => receivedAt),
    rows.map(({ seq }) => seq),
    rooms.map((room) => (room === null ? 'held' : 'active')),
    rows.map(({ message }) => message.from),
    rows.map(({ message }) => message.from_user_id),
    rows.map(({ message }) => JSON.stringify(message)),
    rows.map(({ contact }) => JSON.stringify(contact)),
  ]
}

function rowsOf({
  id,
  body,
  received_at: receivedAt,
}: {
  id: string
  body: Buffer
  received_at: Date
}): Row[] {
  const { value } = JSON.parse(body.toString()).entry[0].changes[0]
  return [{ seq: id, receivedAt, message: value.messages[0], contact: value.contacts[0] }]
}

/** The number of a room, or of a customer without one. */
const numberOf = ({ message }: Row) => Number(message.from) - Number(waIdOf(0))

/** The id that the loader gave a row of this kind; null for a customer without a room. */
function idOf(row: Row, kind: string): string | null {
  const n = numberOf(row)
  return n >= FIRST_STRANGER ? null : `01930000-${kind}-7000-8000-${n.toString(16).padStart(12, '0')}`
}
