import { recordEvents } from '../audit/record-events.ts'
import type { LifecycleOrg } from '../chatrooms/apply-overdue.ts'
import { type LockedChatroom, lockChatroom } from '../chatrooms/lock-chatroom.ts'
import type { Db } from '../db/client.ts'
import type { OutboxRow } from '../db/schema/index.ts'
import { run } from '../db/statement.ts'
import { inTransaction } from '../db/transaction.ts'
import { ApiError } from '../errors.ts'
import { MESSAGE_COLUMNS, type MessageRow } from '../messages/message-page.ts'
import { provisionalWamid } from '../rules/provisional-wamid.ts'
import { refusalOf } from './policy.ts'
import { queueMessages } from './queue-messages.ts'
import type { SendMessageReq } from './schemas.ts'

type Request = {
  org: LifecycleOrg
  chatroomId: string
  message: SendMessageReq
  /** The user who must be one of the chatroom's; undefined: may send anywhere. */
  sender: string | undefined
  actor: string
  now: Date
}

/**
 * Queues one message of an agent or a campaign for a chatroom, if the chatroom and WhatsApp's 24 h window allow
 * it (spec: lifecycle.md, "How do I communicate"). The message is in the chatroom at once, without a status.
 * @throws ApiError CHATROOM_NOT_FOUND, FORBIDDEN, CHATROOM_IS_DEACTIVATED, CHATROOM_IS_EXPIRED_FOR_SENDING, OUTSIDE_WINDOW
 */
export async function sendToChatroom(
  db: Db,
  { org, chatroomId, message, sender, actor, now }: Request,
): Promise<{ row: OutboxRow; message: MessageRow }> {
  return inTransaction(db, async (tx) => {
    const room = await lockChatroom(tx, org, chatroomId, now)
    if (!room) throw new ApiError('CHATROOM_NOT_FOUND')
    if (sender !== undefined && !room.userIds.includes(sender)) {
      throw new ApiError('FORBIDDEN', 'Only users of the chatroom may send into it.')
    }
    const lastInboundAt = await readLastInbound(tx, org.id, room)
    const isTemplate = message.template !== undefined
    const refusal = refusalOf(
      { origin: message.origin, isTemplate },
      { state: room.state, lastInboundAt },
      now,
    )
    if (refusal) throw new ApiError(refusal)
    const row = await queue(tx, org.id, room, message)
    await recordEvents(tx, [
      {
        orgId: org.id,
        kind: 'message.queued',
        actor,
        reason: message.origin,
        chatroomId,
        customerId: room.customerId,
      },
    ])
    return { row, message: await readQueued(tx, row) }
  })
}

async function queue(
  tx: Db,
  orgId: string,
  room: LockedChatroom,
  message: SendMessageReq,
): Promise<OutboxRow> {
  const { origin, text, template } = message
  const payload = template ? { type: 'template', template } : { type: 'text', text }
  const [row] = await run(
    tx,
    queueMessages([
      {
        orgId,
        kind: 'message',
        roomId: room.id,
        customerId: room.customerId,
        phoneId: room.phoneId,
        inReplyTo: null,
        reason: origin === 'CAMPAIGN' ? 'sent by a campaign' : 'sent by an agent',
        payload,
      },
    ]),
  )
  if (!row) throw new Error('a message was not queued')
  return row
}

/** The window belongs to the customer and the number, not to one chatroom. */
async function readLastInbound(tx: Db, orgId: string, room: LockedChatroom): Promise<Date | null> {
  const { rows } = await tx.$client.query<{ at: Date | null }>({
    name: 'read-last-inbound',
    text: `select max(last_inbound_at) as at from chatrooms
      where org_id = $1 and customer_id = $2 and waba_phone_id = $3`,
    values: [orgId, room.customerId, room.phoneId],
  })
  return rows[0]?.at ?? null
}

async function readQueued(tx: Db, { org, id }: OutboxRow): Promise<MessageRow> {
  const { rows } = await tx.$client.query<MessageRow>({
    name: 'read-queued-message',
    text: `select ${MESSAGE_COLUMNS} from messages where org_id = $1 and wamid = $2`,
    values: [org, provisionalWamid(id)],
  })
  if (!rows[0]) throw new Error('a queued message is not in the ledger')
  return rows[0]
}
