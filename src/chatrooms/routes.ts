import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { assignmentEndpoints } from './assignment-routes.ts'
import { toChatroomDetail, toWabaChatroomResp } from './chatroom-answers.ts'
import { chatroomByContact } from './chatroom-by-contact.ts'
import { lifecycleEndpoints } from './lifecycle-routes.ts'
import { listEndpoints } from './list-routes.ts'
import { readChatroom } from './read-chatroom.ts'
import { ChatroomDetailDto, WabaChatroomRespDto } from './schemas.ts'

const tags = ['chatroom-controller']
const member = { role: 'MEMBER', impersonated: true, partner: true } as const
const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided',
}

const byContact = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/chatroom/contact/{contactId}',
  operationId: 'getChatroomByContact',
  summary: 'Get Chatroom by Contact',
  tags,
  policy: member,
  params: { orgId: foreignId, contactId: ownId },
  responses: {
    200: { description: 'Successfully fetched chatroom by contact', schema: WabaChatroomRespDto },
  },
  errors: {
    ...errors,
    400: 'Bad request',
    404: 'No contact waba mapping found',
    500: 'Failed to fetch chatroom due to some internal error',
  },
  handler: async ({ db, org, params }) => ({
    status: 200,
    body: toWabaChatroomResp(await chatroomByContact(db, org.id, params.contactId)),
  }),
})

const detail = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/chatroom/{chatroomId}',
  operationId: 'getChatroom',
  summary: 'Get a chatroom',
  tags,
  policy: member,
  params: { orgId: foreignId, chatroomId: ownId },
  responses: { 200: { description: 'The chatroom', schema: ChatroomDetailDto } },
  errors: {
    ...errors,
    404: 'Chatroom does not exist for this org',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, params }) => ({
    status: 200,
    body: toChatroomDetail(await readChatroom(db, org.id, params.chatroomId)),
  }),
})

/** All endpoints of chatrooms but those for their messages. */
export const chatroomEndpoints = [
  ...lifecycleEndpoints,
  ...assignmentEndpoints,
  byContact,
  detail,
  ...listEndpoints,
]
