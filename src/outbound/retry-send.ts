import { insertEvents } from '../audit/record-events.ts'
import { type LockedChatroom, lockChatroom } from '../chatrooms/lock-chatroom.ts'
import type { LifecycleOrg } from '../chatrooms/standing-rooms.ts'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run, send } from '../db/statement.ts'
import { ApiError } from '../errors.ts'
import type { MessageRow } from '../messages/message-page.ts'
import { isWindowOpen } from '../rules/window.ts'
import { refusalOf, type SendRefusal } from './policy.ts'
import { queueMessages } from './queue-messages.ts'
import { readQueued } from './read-queued.ts'
import { type EndedSend, readSendToRetry } from './read-send-to-retry.ts'
import { readRecipient } from './send-to-chatroom.ts'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  /** The wamid or the id of the message. */
  message: string
  /** A person knows that the customer may get an `unknown` message twice. */
  confirm: boolean
  /** The user who asks, who must be a user of the chatroom; undefined: may send into any chatroom. */
  sender: string | undefined
  /** Whether the caller may send what campaigns send. */
  mayCampaign: boolean
  actor: string
  now: Date
}

/**
 * Sends a failed message again, or one whose outcome is unknown if a person confirms it (docs/rules.md#again-by-a-person):
 * as a new message, linked to the old one, at the end of the line. A message is sent again once; who asks twice gets the
 * same new message. `row` is undefined if it existed already.
 * @throws ApiError CHATROOM_NOT_FOUND, MESSAGE_NOT_FOUND, FORBIDDEN, MESSAGE_DID_NOT_FAIL, OUTCOME_IS_UNKNOWN, and the
 * refusals of sending
 */
export async function retrySend(
  db: Db,
  request: Request,
): Promise<{ row: OutboxRow | undefined; message: MessageRow }> {
  const { org, chatroomId, sender, now } = request
  return inRetriedTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
    if (sender !== undefined && !room.userIds.includes(sender)) {
      throw new ApiError('FORBIDDEN', 'Only users of the chatroom may send into it.')
    }
    const old = await run(tx, readSendToRetry(org.id, room.id, request.message))
    if (!old) throw new ApiError('MESSAGE_NOT_FOUND')
    if (old.retriedAs) {
      return { row: undefined, message: await run(tx, readQueued({ org: org.id, id: old.retriedAs })) }
    }
    refuseUnlessEnded(old, request)
    const recipient = await run(tx, readRecipient(org.id, room))
    const refusal = refusalOfRetry(old, { state: room.state, ...recipient }, now)
    if (refusal) throw new ApiError(refusal)
    return queueAgain(tx, room, old, request)
  })
}

async function queueAgain(
  tx: Db,
  { id: roomId, customerId, phoneId }: LockedChatroom,
  { id, wamid, status, kind, origin, inReplyTo, reason, payload }: EndedSend,
  { org, actor }: Request,
): Promise<{ row: OutboxRow; message: MessageRow }> {
  const place = { orgId: org.id, roomId, customerId, phoneId }
  const again = { kind, origin, inReplyTo, reason, payload, retryOf: id }
  const [row] = await run(tx, queueMessages([{ ...place, ...again }]))
  if (!row) throw new Error('a message was not queued')
  const about = { actor, reason: `it was ${status}`, chatroomId: roomId, customerId }
  const change = { before: { id, wamid }, after: { id: row.id } }
  const [, message] = await send(tx, [
    insertEvents([{ orgId: org.id, kind: 'message.retried', ...about, ...change }]),
    readQueued(row),
  ])
  return { row, message }
}

function refuseUnlessEnded({ status, origin }: EndedSend, { confirm, mayCampaign }: Request): void {
  if (origin === 'CAMPAIGN' && !mayCampaign) {
    throw new ApiError('FORBIDDEN', 'Campaign messages need the role ADMIN.')
  }
  if (status !== 'failed' && status !== 'unknown') throw new ApiError('MESSAGE_DID_NOT_FAIL')
  if (status === 'unknown' && !confirm) throw new ApiError('OUTCOME_IS_UNKNOWN')
}

/** An auto-reply needs the window only, as it did the first time. */
function refusalOfRetry(
  { kind, origin, payload }: EndedSend,
  recipient: Parameters<typeof refusalOf>[1],
  now: Date,
): SendRefusal | undefined {
  if (kind === 'auto_reply') return isWindowOpen(recipient.windowSince, now) ? undefined : 'OUTSIDE_WINDOW'
  return refusalOf({ origin: origin ?? 'AGENT', isTemplate: payload.type === 'template' }, recipient, now)
}
