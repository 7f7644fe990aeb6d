import type { AuditEvent } from '../audit/record-events.ts'
import type { WrittenRoom } from '../chatrooms/update-rooms.ts'
import type { KnownMessage } from '../messages/read-known-messages.ts'
import type { Room } from '../rules/room.ts'
import type { InboundMessage } from '../webhook/items.ts'
import type { Decision, RoutingSettings } from './decision.ts'

/**
 * One message with its customer; undefined where it has none: a number of the org itself wrote, Meta names nobody, or it
 * is a redelivery whose sender has no name that is known today.
 */
export type Arrival = {
  orgId: string
  customerId: string | undefined
  settings: RoutingSettings
  message: InboundMessage
}
/** A message of a customer. */
export type Sent = Arrival & { customerId: string }

export type PlannedMessage = Arrival & Pick<Decision, 'route' | 'reason' | 'roomId' | 'candidates'>
/** Real content for a ghost that is in the ledger, or in this batch, with the time `storedAt`. */
export type Unmasked = Arrival & { storedAt: Date }
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
export type Handover = { orgId: string; customerId: string; roomId: string; userId: string; at: Date }

/** Everything that one batch writes. No other batch can change its basis, since the customers are locked. */
export type Plan = {
  messages: PlannedMessage[]
  unmasked: Unmasked[]
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
  /** The messages that are in the ledger already, by `ledgerKey`. */
  messages: Map<string, KnownMessage>
}
