import { z } from 'zod'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId, queryFlag } from '../input-fields.ts'
import { activateChatroom } from './activate-chatroom.ts'
import { toChatroomResp } from './chatroom-answers.ts'
import { createChatroom } from './create-chatroom.ts'
import { deactivateChatroom } from './deactivate-chatroom.ts'
import { readChatroom } from './read-chatroom.ts'
import {
  ChatroomRespDto,
  CreateChatroomReqV2Dto,
  CreateChatroomReqV3Dto,
  DeactivateChatroomReqDto,
} from './schemas.ts'

const tags = ['chatroom-controller']
const admin = { role: 'ADMIN', impersonated: false, partner: true } as const

const createV3 = defineEndpoint({
  method: 'post',
  path: '/v3/org/{orgId}/lead/chatroom',
  operationId: 'createChatroomV3',
  summary: 'Create a new chatroom for a lead V3',
  description: 'Returns the existing chatroom of this contact, if there is one, else creates it',
  tags,
  deprecated:
    'the original API names nothing instead. To give a contact to a user, POST /v3/orgs/{orgId}/contacts/{contactId}/assign creates its chatroom too.',
  policy: admin,
  params: { orgId: foreignId },
  body: CreateChatroomReqV3Dto,
  example: {
    body: {
      lead_id: '0198c7a2-5b1e-7c3d-9a40-2f6d1b8e4c75',
      assign_details: { assign_mode: 'GROUP', group_id: 'sales', assign_on_handover: true },
    },
  },
  responses: { 200: { description: 'Successfully created the chatroom', schema: ChatroomRespDto } },
  errors: {
    400: 'Bad request',
    401: 'Unauthorized - Authentication is required',
    403: 'User or Partner does not have access to this org',
    404: 'Waba does not exist / WabaPhone does not exist / User or group does not exist',
    409: 'Active chatroom already exists',
    422: 'Required fields are missing or invalid values are provided',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, actor, now, body }) => {
    const { chatroomId, isExisting } = await createChatroom(db, {
      org,
      actor,
      now,
      ...body.assign_details,
      contactId: body.lead_id,
      displayName: body.display_name,
      wabaId: body.remote_waba_id,
      remotePhoneId: body.remote_phone_id,
      forceDeactivate: body.force_deactivate,
      failIfElsewhere: body.fail_if_chatroom_exists_on_other_waba_phone,
    })
    return { status: 200, body: toChatroomResp(await readChatroom(db, org.id, chatroomId), isExisting) }
  },
})

const createV2 = defineEndpoint({
  method: 'post',
  path: '/v2/org/{orgId}/chatroom',
  operationId: 'createChatroomV2',
  summary: 'Create Chatroom V2',
  description: 'Returns the existing chatroom of this contact, if there is one, else creates it',
  tags,
  deprecated: 'use POST /v3/org/{orgId}/lead/chatroom.',
  policy: admin,
  params: { orgId: foreignId },
  body: CreateChatroomReqV2Dto,
  example: { body: { contact_id: '0198c7a2-5b1e-7c3d-9a40-2f6d1b8e4c75', user_id: 'asha' } },
  responses: { 200: { description: 'Successfully returning the chatroom', schema: ChatroomRespDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: 'User or Partner does not have access to this org',
    404: 'OrgId, UserId, Contact or WABA does not exist',
    409: 'Active chatroom already exists with a different crmId',
    422: 'Required fields are missing or invalid values are provided',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, actor, now, body }) => {
    const { chatroomId, isExisting } = await createChatroom(db, {
      org,
      actor,
      now,
      contactId: body.contact_id,
      displayName: body.display_name,
      wabaId: body.remote_waba_id,
      remotePhoneId: body.remote_phone_id,
      forceDeactivate: false,
      failIfElsewhere: body.fail_if_chatroom_exists_on_other_wabaphone ?? true,
      assign: { mode: 'USER', userId: body.user_id },
      onHandover: body.assign_on_handover ?? false,
    })
    return { status: 200, body: toChatroomResp(await readChatroom(db, org.id, chatroomId), isExisting) }
  },
})

const deactivate = defineEndpoint({
  method: 'put',
  path: '/v1/org/{orgId}/contacts/chatroom/{chatroomId}/deactivate',
  operationId: 'deactivateContactChatroom',
  summary: 'Deactivate Chatroom',
  description:
    'Without a reason it is FORCE_DEACTIVATE. A chatroom that is deactivated already stays as it is',
  tags,
  policy: { role: 'ADMIN', impersonated: true, partner: true },
  params: { orgId: foreignId, chatroomId: ownId },
  body: DeactivateChatroomReqDto,
  example: { body: { deactivation_reason: 'LEAD_OPTED_OUT' } },
  bodyRequired: false,
  responses: {
    202: {
      description: 'Successfully accepted request for deactivating contact chatroom',
      schema: z.string(),
    },
  },
  errors: {
    400: 'Bad request',
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    500: 'Failed to deactivate chatroom due to some internal error',
  },
  handler: async ({ db, org, actor, now, params: { chatroomId }, body: { deactivation_reason: reason } }) => {
    await deactivateChatroom(db, { org, chatroomId, reason, actor, now })
    return { status: 202, body: 'The chatroom is deactivated.' }
  },
})

const activate = defineEndpoint({
  method: 'put',
  path: '/v1/org/{orgId}/contacts/chatroom/{chatroomId}/activate',
  operationId: 'activateContactChatroom',
  summary: 'Activate Chatroom',
  description:
    'Refused while another chatroom of the customer is active on that WABA phone, unless force_deactivate deactivates it',
  tags,
  policy: admin,
  params: { orgId: foreignId, chatroomId: ownId },
  query: z.strictObject({ force_deactivate: queryFlag(false) }),
  responses: {
    202: {
      description: 'Successfully accepted request for re-activating contact chatroom',
      schema: z.string(),
    },
  },
  errors: {
    400: 'Bad request',
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    500: 'Failed to activate chatroom due to some internal error',
  },
  handler: async ({ db, org, actor, now, params: { chatroomId }, query: { force_deactivate } }) => {
    await activateChatroom(db, { org, chatroomId, forceDeactivate: force_deactivate, actor, now })
    return { status: 202, body: 'The chatroom is active.' }
  },
})

/** Creating, activating and deactivating chatrooms. */
export const lifecycleEndpoints = [createV3, createV2, deactivate, activate]
