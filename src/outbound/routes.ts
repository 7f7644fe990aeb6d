import { ApiError } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { toMessage } from '../messages/message-page.ts'
import { MessageDto } from '../messages/schemas.ts'
import { retrySend } from './retry-send.ts'
import { RetryMessageReqDto, SendMessageReqDto, wamidParam } from './schemas.ts'
import { sendToChatroom } from './send-to-chatroom.ts'

const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
  503: 'The clock of this server is wrong, or the keys of tokens cannot be read',
}

const send = defineEndpoint({
  method: 'post',
  path: '/v1/org/{orgId}/chatroom/{chatroomId}/messages',
  operationId: 'sendMessage',
  summary: 'Send a message into a chatroom',
  description: [
    'Into an active chatroom anything, into a deactivated one campaign messages only, into an expired one nothing',
    '- Free text within 24 h of the customer’s last message, else a template',
    '- A MEMBER must be a user of the chatroom; CAMPAIGN needs ADMIN',
    '- The id stays; the wamid is `outbox:<id>` until Meta has taken the message',
  ].join('\n'),
  tags: ['chatroom-controller'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  idempotent: true,
  params: { orgId: foreignId, chatroomId: ownId },
  body: SendMessageReqDto,
  example: { body: { origin: 'AGENT', text: { body: 'Your order is on its way.' } } },
  responses: { 202: { description: 'The message is queued', schema: MessageDto } },
  errors: {
    ...errors,
    404: 'Chatroom does not exist for this org',
    409: 'The chatroom, or the 24 h window, does not allow it; or the Idempotency-Key was used otherwise',
  },
  handler: async ({ db, org, caller, actor, now, params: { chatroomId }, body, announceSends }) => {
    if (body.origin === 'CAMPAIGN' && caller.role !== 'ADMIN') {
      throw new ApiError('FORBIDDEN', 'Campaign messages need the role ADMIN.')
    }
    const sender = senderOf(caller)
    const sent = await sendToChatroom(db, { org, chatroomId, message: body, sender, actor, now })
    announceSends([sent.row])
    return { status: 202, body: toMessage(sent.message) }
  },
})

const retry = defineEndpoint({
  method: 'post',
  path: '/v1/org/{orgId}/chatroom/{chatroomId}/messages/{wamid}/retry',
  operationId: 'retryMessage',
  summary: 'Send a message again',
  description: [
    '- Only a message that failed, or, with confirm true, one whose outcome is unknown: the customer may get it twice',
    '- wamid: the wamid or the id of the message',
    '- The answer is a new message with retry_of; a message is sent again once, and a repeated request gets the same answer',
    '- A MEMBER must be a user of the chatroom; a campaign message needs ADMIN',
  ].join('\n'),
  tags: ['chatroom-controller'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  idempotent: true,
  params: { orgId: foreignId, chatroomId: ownId, wamid: wamidParam },
  body: RetryMessageReqDto,
  example: { body: { confirm: true } },
  bodyRequired: false,
  responses: { 202: { description: 'The message is queued again', schema: MessageDto } },
  errors: {
    ...errors,
    404: 'Chatroom or message does not exist for this org',
    409: 'The message did not fail, or its outcome is unknown and not confirmed; or the chatroom or window does not allow it',
  },
  handler: async ({ db, org, caller, actor, now, params, body, announceSends }) => {
    const { chatroomId, wamid: message } = params
    const sent = await retrySend(db, {
      ...{ org, chatroomId, message, confirm: body.confirm, actor, now },
      ...{ sender: senderOf(caller), mayCampaign: caller.role === 'ADMIN' },
    })
    if (sent.row) announceSends([sent.row])
    return { status: 202, body: toMessage(sent.message) }
  },
})

/** The user who must be one of the chatroom's; undefined: an admin or a partner, who may send into any chatroom. */
function senderOf(caller: Caller): string | undefined {
  return caller.role === 'ADMIN' || caller.partnerId !== undefined ? undefined : caller.userId
}

export const outboundEndpoints = [send, retry]
