import { type AuditEvent, insertEvents } from '../audit/record-events.ts'
import { expireContactsOf } from '../chatrooms/expire-contacts.ts'
import { updateLastInbound, updateRooms } from '../chatrooms/update-rooms.ts'
import {
  type CustomerPreference,
  deactivateStopped,
  stopsAmong,
  writePreferences,
} from '../consent/preferences.ts'
import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { logEvents } from '../event-log/log-events.ts'
import { assertLocked, type CustomerKey } from '../identity/lock-customers.ts'
import { lockPairs } from '../outbound/lock-pairs.ts'
import { queueMessages } from '../outbound/queue-messages.ts'
import { followRefusals, refusalsOf } from '../outbound/refusals.ts'
import { concernsCustomer } from '../rules/meta-errors.ts'
import { keepAccountEvents, type OrgAccountEvent } from './account-events.ts'
import { createRooms } from './create-rooms.ts'
import { handOver } from './hand-over.ts'
import { completeGhosts, insertMessages } from './insert-messages.ts'
import { type CustomerCall, noteCalls } from './last-calls.ts'
import { noteAddresses } from './note-addresses.ts'
import type { CreatedRoom, Handover, Plan, Reply } from './planned.ts'
import type { SeenAddress } from './seen-addresses.ts'
import { applyStatuses, endedBy, type OrgStatus } from './statuses.ts'

const ACTOR = 'routing'

/** All that a batch writes: what was planned for its messages, and its other items. */
export type Changes = {
  /** The customers that this transaction has locked. */
  locked: CustomerKey[]
  plan: Plan
  addresses: SeenAddress[]
  preferences: CustomerPreference[]
  calls: CustomerCall[]
  statuses: OrgStatus[]
  accountEvents: OrgAccountEvent[]
  /** The ends of the deliveries. */
  ends: Statement<void>[]
}

/**
 * Writes a batch: one statement a table, whatever the size of the batch, and none for an empty set; all in one round
 * trip, and a second one for what is known only then. What changes a chatroom is logged before the messages in it.
 * @returns the auto-replies queued; the sender is notified of them after the commit
 * @throws RetryError when Meta refused a message of a customer who is not locked
 */
export async function applyChanges(tx: Db, changes: Changes): Promise<OutboxRow[]> {
  const { plan, addresses, preferences, calls, statuses, accountEvents, ends } = changes
  const [, , failed, , moves, called, , expiries, replies, optOuts, , , attached] = await send(tx, [
    lockPairs(statuses.length > 0 ? plan.replies : [], endedBy(statuses)),
    ...applyStatuses(statuses),
    noteAddresses(addresses),
    noteCalls(calls),
    updateRooms(plan.rooms),
    expireContactsOf(plan.rooms, ACTOR),
    queueMessages(plan.replies.map(replyMessage)),
    writePreferences(preferences),
    ...createRooms(plan.created),
    updateLastInbound(plan.lastInbound),
    insertEvents([...plan.events, ...plan.created.map(creationEvent), ...plan.handovers.map(handoverEvent)]),
    insertMessages(plan.messages),
    completeGhosts(plan.unmasked),
    handOver(plan.handovers),
    keepAccountEvents(accountEvents),
    ...ends,
  ])
  const deactivations = await run(tx, deactivateStopped(stopsAmong(preferences, optOuts)))
  await send(tx, [
    insertEvents([...expiries, ...optOuts, ...deactivations]),
    logEvents([...moves, ...attached, ...called]),
  ])
  const refusals = refusalsOf(failed, ACTOR)
  const ofCustomers = refusals.filter(({ codes }) => concernsCustomer(codes))
  // A send may be recorded, and so lead a status to its customer, after this transaction locked the customers.
  assertLocked(
    ofCustomers.map(({ orgId, customerId: id }) => ({ orgId, id })),
    changes.locked,
  )
  await followRefusals(tx, refusals)
  return replies
}

function replyMessage({ text, inReplyTo, ...reply }: Reply) {
  return {
    ...reply,
    kind: 'auto_reply' as const,
    origin: null,
    inReplyTo,
    reason: `auto-reply to ${inReplyTo}`,
    payload: { type: 'text', text: { body: text } },
  }
}

function creationEvent({ orgId, customerId, room, message }: CreatedRoom): AuditEvent {
  return {
    orgId,
    kind: 'chatroom.created',
    actor: ACTOR,
    reason: 'an unknown customer wrote',
    customerId,
    contactId: room.contactId,
    chatroomId: room.id,
    wamid: message.wamid,
    after: { state: 'active' },
  }
}

function handoverEvent({ orgId, customerId, roomId, userId }: Handover): AuditEvent {
  return {
    orgId,
    kind: 'chatroom.handed_over',
    actor: ACTOR,
    reason: 'the customer wrote',
    customerId,
    chatroomId: roomId,
    after: { user_id: userId },
  }
}
