import type { Evidence } from './evidence.ts'
import type { Report } from './report.ts'

export type RoomState = 'active' | 'deactivated' | 'expired'

type EventRow = {
  id: string
  chatroom_id: string
  kind: string
  before: { state?: string } | null
  after: { state?: RoomState } | null
  /** Customer and number of the chatroom. */
  pair: string
}

const EVENTS = `
  select e.id, e.chatroom_id, e.kind, e.before, e.after, r.customer_id || ' ' || r.waba_phone_id as pair
  from events e join chatrooms r on r.org_id = e.org_id and r.id = e.chatroom_id
  where e.kind in ('chatroom.created', 'chatroom.reactivated', 'chatroom.activated', 'chatroom.deactivated',
    'chatroom.expired')
  order by e.id`

/** The states that may follow each state. */
const NEXT: Record<RoomState, readonly RoomState[]> = {
  active: ['deactivated', 'expired'],
  deactivated: ['active', 'expired'],
  expired: [],
}

/**
 * Replays every change of state from the audit: each follows the one before it and the rules, no customer has two
 * active chatrooms at a number at any time, and the last one is the state of today. `initial`: the states of the
 * chatrooms that were made before the audit began.
 */
export async function checkHistory(
  { db }: Pick<Evidence, 'db'>,
  initial: ReadonlyMap<string, RoomState>,
  report: Report,
): Promise<void> {
  const { rows: rooms } = await db.$client.query<{ id: string; state: RoomState; pair: string }>(
    `select id, state, customer_id || ' ' || waba_phone_id as pair from chatrooms`,
  )
  const { rows: events } = await db.$client.query<EventRow>(EVENTS)
  const states = new Map(initial)
  const watch = createActiveWatch(report)
  for (const { id, pair } of rooms) if (initial.get(id) === 'active') watch.enter(pair, id, 'active', '')
  for (const event of events) {
    const state = event.after?.state
    if (state === undefined) continue
    checkTransition(event, states.get(event.chatroom_id), state, report)
    states.set(event.chatroom_id, state)
    watch.enter(event.pair, event.chatroom_id, state, event.id)
  }
  watch.end()
  for (const { id, state } of rooms) {
    if (initial.get(id) === 'expired' && state !== 'expired') report.add('expiredIsFinal', `chatroom ${id}`)
    if (states.get(id) !== state)
      report.add('auditIsComplete', `${id} is ${state}, by the audit ${states.get(id)}`)
  }
}

function checkTransition(event: EventRow, was: RoomState | undefined, is: RoomState, report: Report): void {
  const { kind, chatroom_id, before } = event
  const allowed =
    kind === 'chatroom.created' ? was === undefined : was !== undefined && NEXT[was].includes(is)
  // A sweep records `living` for a chatroom that was active or deactivated.
  const recorded = before?.state ?? was
  if (allowed && (recorded === was || recorded === 'living')) return
  const rule = was === 'expired' ? 'expiredIsFinal' : 'stateFollows'
  report.add(rule, `${kind} of ${chatroom_id}: it was ${was}, the event says from ${recorded} to ${is}`)
}

/**
 * Watches that no customer has two active chatrooms at a number. Event ids begin with their millisecond; within one,
 * events of different processes have no order, so only the state at the end of each millisecond counts.
 */
function createActiveWatch(report: Report) {
  const active = new Map<string, Set<string>>()
  let conflicting = new Set<string>()
  let moment = ''
  const end = () => {
    for (const pair of conflicting) report.add('oneActive', `${pair} at ${moment}`)
    conflicting = new Set()
  }
  return {
    end,
    enter(pair: string, chatroomId: string, state: RoomState, eventId: string): void {
      const millisecond = eventId.slice(0, 13)
      if (millisecond !== moment) end()
      moment = millisecond
      const rooms = active.get(pair) ?? new Set()
      active.set(pair, rooms)
      if (state === 'active') rooms.add(chatroomId)
      else rooms.delete(chatroomId)
      if (rooms.size > 1) conflicting.add(pair)
      else conflicting.delete(pair)
    },
  }
}
