import { type Database, openDatabase } from '../../src/db/client.ts'
import { FIRST_STRANGER, orgOf, phoneOf, waIdOf } from './people.ts'
import type { Side } from './sides.ts'

/** A message of the benchmark, with its row of the inbox. */
type Row = {
  seq: string
  receivedAt: Date
  message: { id: string; from: string; from_user_id: string; timestamp: string; type: string }
  contact: { profile: { name: string } }
}

/** The messages of a batch, with the keys of the rows that they concern; a stranger has no customer and no chatroom. */
export type FloorMessage = Row & {
  orgId: string
  phoneId: string
  customerId: string | null
  roomId: string | null
  sentAt: Date
}

/** What a promise adds to the floor: to its tables beforehand, and to each batch, before its messages are stored and afterwards. */
export type Extra = {
  setUp?: string
  /** In place of taking the deliveries out of the inbox at once. */
  claim?: (db: Database['db'], ids: number[]) => Promise<unknown>
  before?: (db: Database['db'], messages: FloorMessage[]) => Promise<unknown>
  after?: (db: Database['db'], messages: FloorMessage[]) => Promise<unknown>
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
export async function openFloor(label: Side['label'], url: string, extra: Extra = {}): Promise<Side> {
  const { db, close } = openDatabase(url, { max: 1, name: `bench-${label}`, onLost: () => {} })
  await db.$client.query(LEDGER)
  if (extra.setUp !== undefined) await db.$client.query(extra.setUp)
  return { label, db, route: (_, ids) => storeBatch(db, ids, extra), close }
}

/** The pool has one connection, so its statements are of one session; a failure ends the benchmark. */
async function storeBatch(db: Database['db'], ids: number[], extra: Extra): Promise<void> {
  const { $client: client } = db
  await client.query('begin; set local synchronous_commit to off')
  await extra.claim?.(db, ids)
  const taken = await client.query({ name: 'floor-take', text: TAKE, values: [ids] })
  const messages = taken.rows.flatMap(messagesOf)
  await extra.before?.(db, messages)
  const { rowCount } = await client.query({ name: 'floor-insert', text: INSERT, values: valuesOf(messages) })
  if (rowCount !== ids.length) throw new Error('the floor did not store each message')
  const rooms = [messages.map((m) => m.orgId), messages.map((m) => m.roomId), messages.map((m) => m.sentAt)]
  await client.query({ name: 'floor-touch', text: TOUCH, values: rooms })
  await extra.after?.(db, messages)
  await client.query('commit')
}

function valuesOf(messages: FloorMessage[]): unknown[] {
  return [
    messages.map(({ orgId }) => orgId),
    messages.map(({ message }) => message.id),
    messages.map(({ phoneId }) => phoneId),
    messages.map(({ customerId }) => customerId),
    messages.map(({ roomId }) => roomId),
    messages.map(({ message }) => message.type),
    messages.map(({ sentAt }) => sentAt),
    messages.map(({ receivedAt }) => receivedAt),
    messages.map(({ seq }) => seq),
    messages.map(({ roomId }) => (roomId === null ? 'held' : 'active')),
    messages.map(({ message }) => message.from),
    messages.map(({ message }) => message.from_user_id),
    messages.map(({ message }) => JSON.stringify(message)),
    messages.map(({ contact }) => JSON.stringify(contact)),
  ]
}

type Taken = { id: string; body: Buffer; received_at: Date }

function messagesOf({ id, body, received_at: receivedAt }: Taken): FloorMessage[] {
  const { value } = JSON.parse(body.toString()).entry[0].changes[0]
  const row: Row = { seq: id, receivedAt, message: value.messages[0], contact: value.contacts[0] }
  const n = Number(row.message.from) - Number(waIdOf(0))
  return [
    {
      ...row,
      orgId: orgOf(n),
      phoneId: phoneOf(n),
      customerId: idOf(n, '0000'),
      roomId: idOf(n, '0002'),
      sentAt: new Date(Number(row.message.timestamp) * 1_000),
    },
  ]
}

/** The id that the loader gave a row of this kind; null for a customer without a room. */
function idOf(n: number, kind: string): string | null {
  return n >= FIRST_STRANGER ? null : `01930000-${kind}-7000-8000-${n.toString(16).padStart(12, '0')}`
}
