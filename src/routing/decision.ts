import type { LifecycleSettings, Transition } from '../rules/lifecycle.ts'
import type { Room } from '../rules/room.ts'
import type { Nature } from '../webhook/items.ts'

/** The org's settings that routing needs; null days: that rule is off. */
export type RoutingSettings = LifecycleSettings & {
  unknownSender: 'hold' | 'create'
  autoReplyText: string | null
  /** Least seconds between two auto-replies in a chatroom; 0: every message gets one. */
  autoReplyMinIntervalSeconds: number
  /** So many auto-replies within 10 minutes pause them for an hour; null: they never pause. */
  autoReplyBurst: number | null
  /** True: a reaction, an edit or a revoke is routed as any message. */
  reactionsReactivate: boolean
  /** Texts that mean: no marketing any more. */
  stopWords: string[]
}

/** The properties of a message that decide its route. */
export type Inbound = {
  wamid: string
  type: string
  nature: Nature
  sentAt: Date
  /** The chatroom of the message that a reaction, an edit or a revoke names, where that message is known. */
  targetRoomId?: string | null
}

export type Route = 'active' | 'reactivated' | 'expired' | 'held' | 'created'

/**
 * Where a message goes and why. `route` is null when the message takes no part in routing. `rooms` are all chatrooms
 * as they are afterwards; `changed` holds the ids of those to write; `transitions` are to be audited.
 */
export type Decision = {
  route: Route | null
  reason: string
  roomId: string | null
  autoReply: boolean
  /** The auto-reply is the last one before a pause. */
  pausesAutoReplies: boolean
  handoverTo: string | null
  candidates: Room[]
  rooms: Room[]
  changed: string[]
  transitions: Transition[]
}

/** A decision without its route: the state of the chatrooms before the message has an effect. */
export type Undecided = Omit<Decision, 'route' | 'reason'>
