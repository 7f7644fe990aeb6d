import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { heldMessages } from './held-messages.ts'
import { listMessages } from './list-messages.ts'
import { chatroomPageQuery, MessageListDto, pageQuery } from './schemas.ts'

const member = { role: 'MEMBER', impersonated: true, partner: true } as const
const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
}

const ofChatroom = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/chatroom/{chatroomId}/messages',
  operationId: 'listMessages',
  summary: 'List the messages of a chatroom',
  description:
    'Newest first\n- A MEMBER must be a user of the chatroom and may not see messages from before; ADMIN and partners see all',
  tags: ['chatroom-controller'],
  policy: member,
  params: { orgId: foreignId, chatroomId: ownId },
  query: chatroomPageQuery,
  example: { query: 'limit=20' },
  responses: { 200: { description: 'A page of messages', schema: MessageListDto } },
  errors: { ...errors, 404: 'Chatroom does not exist for this org' },
  handler: async ({ db, org, caller, params: { chatroomId }, query }) => {
    const seesAll = caller.role === 'ADMIN' || caller.partnerId !== undefined
    const viewer = seesAll ? undefined : caller.userId
    const { before, limit, status } = query
    const page = { orgId: org.id, chatroomId, viewer, before, limit, status }
    return { status: 200, body: await listMessages(db, page) }
  },
})

const held = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/messages/held',
  operationId: 'listHeldMessages',
  summary: 'List held messages',
  description: 'Messages of customers who have no chatroom at that number yet, newest first.',
  tags: ['routing'],
  policy: member,
  params: { orgId: foreignId },
  query: pageQuery,
  example: { query: 'limit=20' },
  responses: { 200: { description: 'A page of held messages', schema: MessageListDto } },
  errors,
  handler: async ({ db, org, query }) => ({
    status: 200,
    body: await heldMessages(db, { orgId: org.id, before: query.before, limit: query.limit }),
  }),
})

/** Reading messages: those of a chatroom, and those that wait for one. */
export const messageEndpoints = [ofChatroom, held]
