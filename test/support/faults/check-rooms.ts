import type { RoomState } from './cast.ts'
import type { Lab } from './lab.ts'
import type { Report } from './report.ts'

const EXPIRED_IS_FINAL = 'expired is final (I5)'
const ONE_ACTIVE = 'at most one active chatroom of a customer at a number (I4)'

/** I4, I5, I6, I8: the chatrooms as they are now. */
export async function checkRooms({ db, cast }: Lab, report: Report): Promise<void> {
  const find = async (rule: string, statement: string, values: unknown[] = []) => {
    const { rows } = await db.$client.query<{ what: string }>(
      `select what from (${statement}) found limit 1000`,
      values,
    )
    for (const { what } of rows) report.add(rule, what)
  }
  await find(
    ONE_ACTIVE,
    `select concat_ws(' ', org_id, customer_id, waba_phone_id, count(*)) as what from chatrooms
     where expired_at is null and deactivated_at is null
     group by org_id, customer_id, waba_phone_id having count(*) > 1`,
  )
  const expired = [...cast.rooms].flatMap(([id, state]) => (state === 'expired' ? [id] : []))
  await find(
    EXPIRED_IS_FINAL,
    `select 'chatroom ' || id as what from chatrooms where id = any($1::uuid[]) and expired_at is null`,
    [expired],
  )
  await find(
    'a contact expires whole (I5)',
    `select 'contact ' || c.id as what from contacts c join chatrooms r on r.org_id = c.org_id and r.contact_id = c.id
     where (c.expired_at is null) <> (r.expired_at is null)`,
  )
  await find(
    'no chatroom is made without a message (I6)',
    `select 'chatroom ' || e.chatroom_id as what from events e
     where e.kind = 'chatroom.created' and e.actor = 'routing' and not exists (
       select from messages m where m.org_id = e.org_id and m.wamid = e.wamid and m.chatroom_id = e.chatroom_id)`,
  )
  await find(
    'the last word of a chatroom is the latest of its messages, in whatever order they came (I8)',
    `select concat_ws(' ', r.id, r.last_inbound_at, m.last) as what from chatrooms r
     join (select org_id, chatroom_id, max(sent_at) as last from messages where direction = 'in' and route is not null
           group by 1, 2) m on m.org_id = r.org_id and m.chatroom_id = r.id
     where r.last_inbound_at is distinct from m.last`,
  )
}

type EventRow = {
  id: string
  chatroom_id: string
  customer_id: string
  kind: string
  before: { state?: string } | null
  after: { state?: RoomState } | null
  waba_phone_id: string
}

const EDGES: Record<string, readonly string[]> = {
  active: ['deactivated', 'expired'],
  deactivated: ['active', 'expired'],
  expired: [],
}

/** I4, I5: every change of state, replayed from the audit, follows the one before it and the rules. */
export async function checkHistory({ db, cast }: Lab, report: Report): Promise<void> {
  const { rows } = await db.$client.query<EventRow>(`
    select e.id, e.chatroom_id, e.kind, e.before, e.after, r.customer_id, r.waba_phone_id from events e
    join chatrooms r on r.org_id = e.org_id and r.id = e.chatroom_id
    where e.kind = any('{chatroom.created,chatroom.reactivated,chatroom.activated,chatroom.deactivated,chatroom.expired}')
    order by e.id`)
  const now = await readStates(db)
  const states = new Map<string, RoomState>(cast.rooms)
  const active = await activeAtStart(db, cast.rooms)
  let moment = ''
  const crowded = new Set<string>()
  for (const row of rows) {
    // Ids begin with their millisecond; within one, those of different processes have no order.
    const instant = row.id.slice(0, 13)
    if (instant !== moment) for (const pair of crowded) report.add(ONE_ACTIVE, `${pair} at ${moment}`)
    if (instant !== moment) crowded.clear()
    moment = instant
    const [was, is] = [states.get(row.chatroom_id), row.after?.state]
    if (is === undefined) continue
    const follows =
      row.kind === 'chatroom.created' ? was === undefined : was !== undefined && EDGES[was]?.includes(is)
    // What a sweep finds overdue may count as done before it is told: `living` is its word for either.
    const told = row.before?.state ?? was
    if (!follows || (told !== was && told !== 'living')) {
      const rule = was === 'expired' ? EXPIRED_IS_FINAL : 'a chatroom changes from the state it was in (I5)'
      report.add(rule, `${row.kind} of ${row.chatroom_id}: was ${was}, event says ${told} to ${is}`)
    }
    states.set(row.chatroom_id, is)
    const pair = `${row.customer_id} ${row.waba_phone_id}`
    const rooms = active.get(pair) ?? new Set()
    active.set(pair, rooms)
    if (is === 'active') rooms.add(row.chatroom_id)
    else rooms.delete(row.chatroom_id)
    if (rooms.size > 1) crowded.add(pair)
    else crowded.delete(pair)
  }
  for (const pair of crowded) report.add(ONE_ACTIVE, `${pair} at ${moment}`)
  for (const [id, state] of now) {
    if (states.get(id) !== state)
      report.add('the audit tells every change of state (I5)', `${id} is ${state}, told: ${states.get(id)}`)
  }
}

async function readStates(db: Lab['db']): Promise<Map<string, RoomState>> {
  const { rows } = await db.$client.query<{ id: string; state: RoomState }>('select id, state from chatrooms')
  return new Map(rows.map(({ id, state }) => [id, state]))
}

async function activeAtStart(
  db: Lab['db'],
  rooms: Map<string, RoomState>,
): Promise<Map<string, Set<string>>> {
  const { rows } = await db.$client.query<{ id: string; pair: string }>(
    `select id, customer_id || ' ' || waba_phone_id as pair from chatrooms where id = any($1::uuid[])`,
    [[...rooms].flatMap(([id, state]) => (state === 'active' ? [id] : []))],
  )
  const pairs = new Map<string, Set<string>>()
  for (const { id, pair } of rows) pairs.set(pair, (pairs.get(pair) ?? new Set()).add(id))
  return pairs
}
