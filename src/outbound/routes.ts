import { ApiError } from '../errors.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { toMessage } from '../messages/message-page.ts'
import { MessageDto } from '../messages/schemas.ts'
import { SendMessageReqDto } from './schemas.ts'
import { sendToChatroom } from './send-to-chatroom.ts'

const send = defineEndpoint({
  method: 'post',
  path: '/v1/org/{orgId}/chatroom/{chatroomId}/messages',
  operationId: 'sendMessage',
  summary: 'Send a message into a chatroom',
  description: [
    'Into an active chatroom anything, into a deactivated one campaign messages only, into an expired one nothing',
    '- Free text within 24 h of the customer’s last message, else a template',
    '- A MEMBER must be a user of the chatroom; CAMPAIGN needs ADMIN',
    '- The wamid is `outbox:<id>` until Meta has taken the message',
  ].join('\n'),
  tags: ['chatroom-controller'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  idempotent: true,
  params: { orgId: foreignId, chatroomId: ownId },
  body: SendMessageReqDto,
  responses: { 202: { description: 'The message is queued', schema: MessageDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    404: 'Chatroom does not exist for this org',
    409: 'The chatroom, or the 24 h window, does not allow it; or the Idempotency-Key was used otherwise',
    422: 'Required fields are missing or invalid values are provided',
    500: 'Internal Exception',
    503: 'The clock of this server is wrong, or the keys of tokens cannot be read',
  },
  handler: async ({ db, org, caller, actor, now, params: { chatroomId }, body, announceSends }) => {
    if (body.origin === 'CAMPAIGN' && caller.role !== 'ADMIN') {
      throw new ApiError('FORBIDDEN', 'Campaign messages need the role ADMIN.')
    }
    const anywhere = caller.role === 'ADMIN' || caller.partnerId !== undefined
    const sender = anywhere ? undefined : caller.userId
    const sent = await sendToChatroom(db, { org, chatroomId, message: body, sender, actor, now })
    announceSends([sent.row])
    return { status: 202, body: toMessage(sent.message) }
  },
})

export const outboundEndpoints = [send]
