import type { Db } from '../../src/db/client.ts'
import type { Routed } from '../../src/routing/route-batch.ts'
import { routeDeliveries } from '../../src/routing/route-deliveries.ts'

/** Puts bodies into the inbox as the receiver does. */
export async function store(db: Db, ...bodies: Buffer[]): Promise<number[]> {
  const { rows } = await db.$client.query<{ id: string }>(
    'insert into inbox (body) select * from unnest($1::bytea[]) returning id',
    [bodies],
  )
  return rows.map((r) => Number(r.id))
}

/** Stores bodies and routes them as one batch. */
export async function deliver(db: Db, ...bodies: Buffer[]): Promise<Routed> {
  return routeDeliveries(db, await store(db, ...bodies), () => {})
}

type Delivery = { age?: number; error?: string; body?: string }

/** A row of the inbox in that state, received and due `age` seconds ago; gives its id. */
export async function insertDelivery(
  db: Db,
  state: string,
  { age = 0, ...delivery }: Delivery = {},
): Promise<number> {
  const { error = 'not JSON', body = '{}' } = delivery
  const { rows } = await db.$client.query(
    `insert into inbox (body, state, error, parked_for, received_at, due_at)
     values ($1, $2, $3, $4, now() - make_interval(secs => $5), now() - make_interval(secs => $5)) returning id`,
    [Buffer.from(body), state, state === 'dead' ? error : null, state === 'parked' ? 'phone 1' : null, age],
  )
  return Number(rows[0].id)
}

/** The row of a message in the ledger. */
export async function readMessage(db: Db, orgId: string, wamid: string) {
  const { rows } = await db.$client.query('select * from messages where org_id = $1 and wamid = $2', [
    orgId,
    wamid,
  ])
  return rows[0]
}

export async function readRoom(db: Db, orgId: string, id: string) {
  const { rows } = await db.$client.query('select * from chatrooms where org_id = $1 and id = $2', [
    orgId,
    id,
  ])
  return rows[0]
}

/** The states of the deliveries that are still in the inbox. */
export async function inboxStates(db: Db, ids: number[]): Promise<string[]> {
  const { rows } = await db.$client.query<{ state: string }>(
    'select state from inbox where id = any($1::bigint[]) order by id',
    [ids],
  )
  return rows.map((r) => r.state)
}
