import { NIL } from 'uuid'
import { defineEndpoint } from '../http/endpoint.ts'
import type { LimitOnce } from '../http/rate-limit.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { assignContact } from './assign-contact.ts'
import { toChatroomResp } from './chatroom-answers.ts'
import { readChatroom } from './read-chatroom.ts'
import { reassignChatroom } from './reassign-chatroom.ts'
import {
  AssignChatroomReqDto,
  ChatroomReassignReqV3Dto,
  ChatroomRespDto,
  ReassignRoomReqV2Dto,
} from './schemas.ts'

/** One reassignment in 10 s for a chatroom, by both versions together; one assignment in 10 s for a contact. */
const SECONDS = 10

/** An id that is no UUID is read as the nil UUID (`ownId`). It names no row, and all such ids would share one limit. */
async function limitUse(limitOnce: LimitOnce, key: string, id: string): Promise<void> {
  if (id !== NIL) await limitOnce(key + id, SECONDS)
}

const admin = { role: 'ADMIN', impersonated: false, partner: true } as const

const reassignV3 = defineEndpoint({
  method: 'post',
  path: '/v3/org/{orgId}/lead/chatroom/{chatroomId}/reassign',
  operationId: 'reassignChatroomV3',
  summary: 'Reassign Chatroom V3',
  description: 'Revokes the access of all existing users of the chatroom and adds the new one',
  tags: ['reassignment-controller'],
  deprecated: 'use POST /v3/orgs/{orgId}/contacts/{contactId}/assign.',
  policy: admin,
  params: { orgId: foreignId, chatroomId: ownId },
  body: ChatroomReassignReqV3Dto,
  example: { body: { assign_details: { assign_mode: 'USER', user_email: 'asha@example.com' } } },
  responses: { 200: { description: 'Successfully re-assigned the chatroom', schema: ChatroomRespDto } },
  errors: {
    400: 'Bad request',
    401: 'Unauthorized - Authentication is required',
    403: 'User or Partner does not have access to this org',
    404: 'Chatroom does not exist for this org / OrgId does not exist',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Rate limit exceeded. Allows 1 request per 10 seconds per chatroom',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, actor, now, limitOnce, params: { chatroomId }, body }) => {
    await limitUse(limitOnce, `${org.id}:reassign:`, chatroomId)
    await reassignChatroom(db, { org, chatroomId, ...body.assign_details, actor, now })
    return { status: 200, body: toChatroomResp(await readChatroom(db, org.id, chatroomId), true) }
  },
})

const reassignV2 = defineEndpoint({
  method: 'post',
  path: '/v2/org/{orgId}/waba/chatroom/{chatroomId}/reassign',
  operationId: 'reassignChatroom',
  summary: 'Reassign Chatroom V2',
  description: 'Revokes the access of all existing users of the chatroom and adds the new one',
  tags: ['reassignment-controller'],
  deprecated: 'use POST /v3/orgs/{orgId}/contacts/{contactId}/assign.',
  policy: admin,
  params: { orgId: foreignId, chatroomId: ownId },
  body: ReassignRoomReqV2Dto,
  example: { body: { user_id: 'asha' } },
  responses: { 200: { description: 'Successfully reassigned the chatroom', schema: ChatroomRespDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: 'User or Partner does not have access to this org',
    404: 'Chatroom does not exist for this org',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Rate limit exceeded. Allows 1 request per 10 seconds per chatroom',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, actor, now, limitOnce, params: { chatroomId }, body: { user_id: userId } }) => {
    await limitUse(limitOnce, `${org.id}:reassign:`, chatroomId)
    const assign = { mode: 'USER', userId } as const
    await reassignChatroom(db, { org, chatroomId, assign, onHandover: false, actor, now })
    return { status: 200, body: toChatroomResp(await readChatroom(db, org.id, chatroomId), true) }
  },
})

const assign = defineEndpoint({
  method: 'post',
  path: '/v3/orgs/{orgId}/contacts/{contactId}/assign',
  operationId: 'assignChatroom',
  summary: 'Assign a contact to a user',
  description:
    'Only one of user_id and group_id is required; if both are provided, user_id is used\n- A contact without a chatroom gets one',
  tags: ['chatroom-controller'],
  policy: admin,
  params: { orgId: foreignId, contactId: ownId },
  body: AssignChatroomReqDto,
  example: { body: { group_id: 'sales' } },
  responses: { 202: { description: 'User will be assigned to the room' } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: 'Cannot make this request',
    404: 'User / Group not found',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Rate limit exceeded. Allows 1 request per 10 seconds per contact',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, actor, now, limitOnce, params: { contactId }, body }) => {
    await limitUse(limitOnce, `${org.id}:assign:`, contactId)
    await assignContact(db, {
      org,
      contactId,
      actor,
      now,
      assign: body.assign,
      onHandover: body.assign_on_handover ?? false,
      wabaId: body.remote_waba_id,
      remotePhoneId: body.remote_phone_id,
    })
    return { status: 202 }
  },
})

/** Giving chatrooms to users. */
export const assignmentEndpoints = [reassignV3, reassignV2, assign]
