import type { WrittenRoom } from '../chatrooms/update-rooms.ts'
import type { KnownMessage } from '../messages/read-known-messages.ts'
import { ledgerKey, pairKey } from '../rules/keys.ts'
import type { Room } from '../rules/room.ts'
import { transitionEvent } from '../rules/transition-event.ts'
import { isGhost } from '../webhook/extract.ts'
import { decide } from './decide.ts'
import type { Decision } from './decision.ts'
import type { Arrival, Known, Plan, Sent } from './planned.ts'

/**
 * Folds `decide` over the messages of a batch, in order, each seeing what the one before it changed. A message
 * that is known already changes nothing, except that real content takes the place of its ghost.
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
    messages: new Map(known.messages),
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
  messages: Map<string, KnownMessage>
  written: Map<string, WrittenRoom>
  now: Date
  newId: () => string
}

function addArrival(state: State, arrival: Arrival): void {
  const { orgId, customerId, message } = arrival
  const key = ledgerKey({ orgId, wamid: message.wamid })
  const seen = state.messages.get(key)
  if (seen === undefined) {
    const roomId =
      customerId === undefined ? keepAside(state, arrival) : route(state, { ...arrival, customerId })
    state.messages.set(key, { type: message.type, roomId, sentAt: message.sentAt })
  } else if (isGhost(seen.type) && !isGhost(message.type)) {
    state.messages.set(key, { ...seen, type: message.type })
    state.plan.unmasked.push({ ...arrival, storedAt: seen.sentAt })
  } else {
    state.plan.duplicates += 1
  }
}

/** A message without a customer is stored, and takes no part in routing. */
function keepAside(state: State, arrival: Arrival): null {
  const reason = arrival.message.nature === 'own' ? 'a number of the org itself' : 'Meta names no customer'
  state.plan.messages.push({ ...arrival, route: null, reason, roomId: null, candidates: [] })
  return null
}

/** @returns the chatroom of the message */
function route(state: State, arrival: Sent): string | null {
  const { orgId, customerId, message, settings } = arrival
  const pair = pairKey({ orgId, customerId, phoneId: message.phoneId })
  const target = message.target && state.messages.get(ledgerKey({ orgId, wamid: message.target }))
  const { wamid, type, nature, sentAt } = message
  const inbound = { wamid, type, nature, sentAt, targetRoomId: target ? target.roomId : null }
  const decision = decide(inbound, state.rooms.get(pair) ?? [], settings, state.now)
  const created = decision.route === 'created' ? createRoom(state, arrival) : undefined
  state.rooms.set(pair, created ? [...decision.rooms, created] : decision.rooms)
  for (const room of decision.rooms) {
    if (decision.changed.includes(room.id)) noteChange(state, orgId, room)
  }
  const roomId = created?.id ?? decision.roomId
  const { route, reason, candidates } = decision
  state.plan.messages.push({ orgId, customerId, settings, message, route, reason, roomId, candidates })
  addEffects(state.plan, arrival, decision)
  return roomId
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
    autoReplies: 0,
    autoRepliesSince: null,
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
    const { roomId, handoverTo: userId } = decision
    plan.handovers.push({ orgId, customerId, roomId, userId, at: message.sentAt })
  }
  const cause = { orgId, customerId, actor: 'routing', wamid: message.wamid }
  plan.events.push(...decision.transitions.map((transition) => transitionEvent(cause, transition)))
  if (decision.pausesAutoReplies && decision.roomId) {
    const reason = `${settings.autoReplyBurst} auto-replies within 10 minutes; none for an hour`
    plan.events.push({ ...cause, kind: 'chatroom.auto_reply_paused', reason, chatroomId: decision.roomId })
  }
}
