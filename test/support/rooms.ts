import type { Inbound, RoutingSettings } from '../../src/routing/decision.ts'
import type { Room } from '../../src/rules/room.ts'
import type { InboundMessage } from '../../src/webhook/items.ts'

/** "Now" of tests that decide in memory. */
export const NOW = new Date('2026-11-21T12:00:00Z')
export const MINUTE = 60_000
export const DAY = 86_400_000
export const earlier = (ms: number) => new Date(NOW.getTime() - ms)

/** Settings of an org with an auto-reply, all rules off but for what is given. */
export function settingsOf(change: Partial<RoutingSettings> = {}): RoutingSettings {
  return {
    inactivityDays: null,
    expiryDays: null,
    unknownSender: 'hold',
    autoReplyText: 'closed',
    autoReplyMinIntervalSeconds: 0,
    autoReplyBurst: 20,
    stopWords: [],
    reactionsReactivate: false,
    ...change,
  }
}

/** A chatroom, active for ten days but for what is given. */
export function roomOf(id: string, change: Partial<Room> = {}): Room {
  const state = change.expiredAt ? 'expired' : change.deactivatedAt ? 'deactivated' : 'active'
  return {
    id,
    contactId: `c-${id}`,
    state,
    createdAt: earlier(10 * DAY),
    contactCreatedAt: earlier(10 * DAY),
    activatedAt: earlier(10 * DAY),
    lastInboundAt: null,
    lastAutoReplyAt: null,
    autoReplies: 0,
    autoRepliesSince: null,
    deactivatedAt: null,
    expiredAt: null,
    pendingUserId: null,
    ...change,
  }
}

/** A customer's text, sent now but for what is given. */
export function inboundOf(change: Partial<Inbound> = {}): Inbound {
  return { wamid: 'wamid.x', type: 'text', nature: 'customer', sentAt: NOW, ...change }
}

/** A customer's text as it is read from a delivery, sent now but for what is given. */
export function messageOf(change: Partial<InboundMessage> = {}): InboundMessage {
  return {
    phoneId: 'p',
    wamid: 'a',
    type: 'text',
    nature: 'customer',
    direction: 'in',
    sentAt: NOW,
    receivedAt: NOW,
    seq: 1,
    sender: { waId: '1', userId: undefined, parentUserId: undefined, profileName: undefined },
    payload: '{}',
    contact: undefined,
    target: undefined,
    ...change,
  }
}
