import { insertEvents } from '../audit/record-events.ts'
import { type LockedChatroom, lockChatroom } from '../chatrooms/lock-chatroom.ts'
import type { LifecycleOrg } from '../chatrooms/standing-rooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run, type Statement, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { MessageRow } from '../messages/message-page.ts'
import { WINDOW_SINCE } from '../rules/window.ts'
import { refusalOf } from './policy.ts'
import { type Outgoing, queueMessages } from './queue-messages.ts'
import { readQueued } from './read-queued.ts'
import type { SendMessageReq } from './schemas.ts'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  message: SendMessageReq
  /** The user who sends, who must be a user of the chatroom; undefined: the sender may send into any chatroom. */
  sender: string | undefined
  actor: string
  now: Date
}

/**
 * Queues one message of an agent or a campaign for a chatroom, if the chatroom's state and WhatsApp's 24 h window allow
 * it (docs/rules.md#what-may-be-sent). The message is in the chatroom at once, without a status.
 * @throws ApiError CHATROOM_NOT_FOUND, FORBIDDEN, CHATROOM_IS_DEACTIVATED, CHATROOM_IS_EXPIRED_FOR_SENDING,
 * CUSTOMER_OPTED_OUT, MARKETING_PAUSED, OUTSIDE_WINDOW
 */
export async function sendToChatroom(
  db: Db,
  { org, chatroomId, message, sender, actor, now }: Request,
): Promise<{ row: OutboxRow; message: MessageRow }> {
  return inRetriedTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
    if (sender !== undefined && !room.userIds.includes(sender)) {
      throw new ApiError('FORBIDDEN', 'Only users of the chatroom may send into it.')
    }
    const recipient = await run(tx, readRecipient(org.id, room))
    const wanted = { origin: message.origin, isTemplate: message.template !== undefined }
    const refusal = refusalOf(wanted, { state: room.state, ...recipient }, now)
    if (refusal) {
      const until = refusal === 'MARKETING_PAUSED' && { until: recipient.marketingPausedUntil?.toISOString() }
      throw new ApiError(refusal, undefined, { ...until })
    }
    const { customerId } = room
    const queued = { kind: 'message.queued' as const, actor, reason: message.origin, chatroomId, customerId }
    const [row] = await run(tx, queueMessages([toOutgoing(org.id, room, message)]))
    if (!row) throw new Error('a message was not queued')
    const after = { id: row.id }
    const [, shown] = await send(tx, [insertEvents([{ orgId: org.id, ...queued, after }]), readQueued(row)])
    return { row, message: shown }
  })
}

function toOutgoing(
  orgId: string,
  { id, customerId, phoneId }: LockedChatroom,
  { origin, text, template }: SendMessageReq,
): Outgoing {
  const payload = template ? { type: 'template', template } : { type: 'text', text }
  return {
    ...{ orgId, kind: 'message', roomId: id, customerId, phoneId, origin, inReplyTo: null },
    reason: origin === 'CAMPAIGN' ? 'sent by a campaign' : 'sent by an agent',
    payload,
  }
}

type Recipient = { windowSince: Date | null; optedOut: boolean; marketingPausedUntil: Date | null }
const NOBODY: Recipient = { windowSince: null, optedOut: false, marketingPausedUntil: null }

/** What the policy of sending needs of a chatroom's customer. */
export function readRecipient(orgId: string, { customerId, phoneId }: LockedChatroom): Statement<Recipient> {
  return {
    name: 'read-recipient',
    text: `select ${WINDOW_SINCE} as "windowSince", k.opted_out_at is not null as "optedOut",
        k.marketing_paused_until as "marketingPausedUntil"
      from (select $1::text as org_id, $2::uuid as customer_id, $3::text as waba_phone_id) q
      join customers k on k.org_id = q.org_id and k.id = q.customer_id`,
    values: [orgId, customerId, phoneId],
    read: ([recipient]: Recipient[]) => recipient ?? NOBODY,
  }
}
