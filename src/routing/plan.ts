import type { AuditEvent } from '../audit/record-events.ts'
import type { WrittenRoom } from '../chatrooms/update-rooms.ts'
import { ledgerKey, pairKey } from '../rules/keys.ts'
import type { Room } from '../rules/room.ts'
import { transitionEvent } from '../rules/transition-event.ts'
import { isGhost } from '../webhook/extract.ts'
import type { InboundMessage } from '../webhook/items.ts'
import { type Decision, decide, type RoutingSettings } from './decide.ts'

/**
 * One message with its sender. `customerId` is undefined only for a redelivery whose sender has no name that is known
 * today: it changes nothing, or completes its ghost.
 */
export type Arrival = {
  orgId: string
  customerId: string | undefined
  settings: RoutingSettings
  message: InboundMessage
}
type Sent = Arrival & { customerId: string }

export type PlannedMessage = Sent & Pick<Decision, 'route' | 'reason' | 'roomId' | 'candidates'>
export type CreatedRoom = {
  orgId: string
  customerId: string
  phoneId: string
  room: Room
  message: InboundMessage
}
export type Reply = {
  orgId: string
  customerId: string
  phoneId: string
  roomId: string
  inReplyTo: string
  text: string
}
export type Handover = { orgId: string; roomId: string; userId: string; at: Date }

/** Everything that one batch writes. No other batch can change its basis, since the customers are locked. */
export type Plan = {
  messages: PlannedMessage[]
  unmasked: Arrival[]
  /** Chatrooms that change only in the times of the last inbound message and the last auto-reply. */
  lastInbound: WrittenRoom[]
  /** Chatrooms that change in anything else. */
  rooms: WrittenRoom[]
  created: CreatedRoom[]
  replies: Reply[]
  handovers: Handover[]
  events: AuditEvent[]
  duplicates: number
}

export type Known = {
  /** Chatrooms by `pairKey`. */
  rooms: Map<string, Room[]>
  /** Type of the messages that are in the ledger already, by `ledgerKey`. */
  messages: Map<string, string>
}

/**
 * Folds `decide` over the messages of a batch, in order, each seeing what the one before it changed. A message
 * that is known already changes nothing, except that real content takes the place of its ghost.
 * @throws Error for a message that is neither in the ledger nor of a known customer
 */
export function planBatch(arrivals: Arrival[], known: Known, now: Date, newId: () => string): Plan {
  const state: State = {
    plan: {
      messages: [],
      unmasked: [],
      lastInbound: [],
      rooms: [],
      created: [],
      replies: [],
      handovers: [],
      events: [],
      duplicates: 0,
    },
    rooms: new Map(known.rooms),
    types: new Map(known.messages),
    written: new Map(),
    now,
    newId,
  }
  for (const arrival of arrivals) addArrival(state, arrival)
  const before = new Map([...known.rooms.values()].flat().map((room) => [room.id, room]))
  for (const written of state.written.values()) {
    const onlyTimes = changesOnlyTimes(before.get(written.room.id), written.room)
    state.plan[onlyTimes ? 'lastInbound' : 'rooms'].push(written)
  }
  return state.plan
}

/** `decide` passes on every value that it does not change, so equal instants are the same objects. */
function changesOnlyTimes(before: Room | undefined, after: Room): boolean {
  return (
    before?.activatedAt === after.activatedAt &&
    before.deactivatedAt === after.deactivatedAt &&
    before.expiredAt === after.expiredAt &&
    before.pendingUserId === after.pendingUserId
  )
}

type State = {
  plan: Plan
  rooms: Map<string, Room[]>
  types: Map<string, string>
  written: Map<string, WrittenRoom>
  now: Date
  newId: () => string
}

function addArrival(state: State, arrival: Arrival): void {
  const key = ledgerKey({ orgId: arrival.orgId, wamid: arrival.message.wamid })
  const seen = state.types.get(key)
  if (seen === undefined) {
    state.types.set(key, arrival.message.type)
    route(state, withCustomer(arrival))
  } else if (isGhost(seen) && !isGhost(arrival.message.type)) {
    state.types.set(key, arrival.message.type)
    state.plan.unmasked.push(arrival)
  } else {
    state.plan.duplicates += 1
  }
}

function withCustomer({ customerId, ...arrival }: Arrival): Sent {
  if (customerId === undefined) throw new Error('a message that is not in the ledger has no customer')
  return { ...arrival, customerId }
}

function route(state: State, arrival: Sent): void {
  const { orgId, customerId, message, settings } = arrival
  const pair = pairKey({ orgId, customerId, phoneId: message.phoneId })
  const decision = decide(message, state.rooms.get(pair) ?? [], settings, state.now)
  const created = decision.route === 'created' ? createRoom(state, arrival) : undefined
  state.rooms.set(pair, created ? [...decision.rooms, created] : decision.rooms)
  for (const room of decision.rooms) {
    if (decision.changed.includes(room.id)) noteChange(state, orgId, room)
  }
  const roomId = created?.id ?? decision.roomId
  const { route, reason, candidates } = decision
  state.plan.messages.push({ ...arrival, route, reason, roomId, candidates })
  addEffects(state.plan, arrival, decision)
}

/** A chatroom created in this batch is inserted in its last state; any other one is updated to its last state. */
function noteChange(state: State, orgId: string, room: Room): void {
  const created = state.plan.created.find((c) => c.room.id === room.id)
  if (created) created.room = room
  else state.written.set(room.id, { orgId, room })
}

function createRoom(state: State, arrival: Sent): Room {
  const { orgId, customerId, message } = arrival
  const room: Room = {
    id: state.newId(),
    contactId: state.newId(),
    state: 'active',
    createdAt: state.now,
    contactCreatedAt: state.now,
    activatedAt: state.now,
    lastInboundAt: message.sentAt,
    lastAutoReplyAt: null,
    deactivatedAt: null,
    expiredAt: null,
    pendingUserId: null,
  }
  state.plan.created.push({ orgId, customerId, phoneId: message.phoneId, room, message })
  return room
}

function addEffects(plan: Plan, arrival: Sent, decision: Decision): void {
  const { orgId, customerId, message, settings } = arrival
  if (decision.autoReply && decision.roomId && settings.autoReplyText !== null) {
    const { wamid: inReplyTo, phoneId } = message
    plan.replies.push({
      orgId,
      customerId,
      phoneId,
      roomId: decision.roomId,
      inReplyTo,
      text: settings.autoReplyText,
    })
  }
  if (decision.handoverTo && decision.roomId) {
    plan.handovers.push({ orgId, roomId: decision.roomId, userId: decision.handoverTo, at: message.sentAt })
  }
  const cause = { orgId, customerId, actor: 'routing', wamid: message.wamid }
  plan.events.push(...decision.transitions.map((transition) => transitionEvent(cause, transition)))
}
