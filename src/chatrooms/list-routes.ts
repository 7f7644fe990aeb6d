import type { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId } from '../input-fields.ts'
import { type ListedChatroom, listChatrooms } from './list-chatrooms.ts'
import { ChatroomListDto, chatroomQuery, type ListedChatroomDto } from './list-schemas.ts'

const list = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/chatrooms',
  operationId: 'listChatrooms',
  summary: 'List chatrooms',
  description:
    'The inbox of a CRM: with `waiting=true` the chatrooms whose customer waits for an answer, those first that wait longest; else newest first\n- A MEMBER sees the chatrooms that are assigned to the MEMBER; ADMIN and partners see all\n- A page may be short or empty before the end: only `next_before` = null is the end',
  tags: ['chatroom-controller'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  params: { orgId: foreignId },
  query: chatroomQuery,
  example: { query: 'waiting=true&assigned_to=asha' },
  responses: { 200: { description: 'A page of chatrooms', schema: ChatroomListDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    422: 'Required fields are missing or invalid values are provided',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, caller, query: { assigned_to, ...wanted } }) => {
    const assignedTo = visibleTo(caller, assigned_to)
    const { chatrooms, next } = await listChatrooms(db, { orgId: org.id, assignedTo, ...wanted })
    return { status: 200, body: { chatrooms: chatrooms.map(toListed), next_before: next } }
  },
})

/** Whose chatrooms a caller may list: a MEMBER only the own ones. */
function visibleTo({ role, partnerId, userId }: Caller, wanted: string | undefined): string | undefined {
  if (role === 'ADMIN' || partnerId !== undefined) return wanted
  if (wanted !== undefined && wanted !== userId) {
    throw new ApiError('FORBIDDEN', 'Only admins and partners may list the chatrooms of others.')
  }
  return userId
}

function toListed(room: ListedChatroom): z.input<typeof ListedChatroomDto> {
  const { lastAt, lastDirection: direction, lastType: type } = room
  const last = lastAt && direction && type ? { sent_at: lastAt.toISOString(), direction, type } : null
  return {
    chatroom_id: room.id,
    state: room.state,
    display_name: room.displayName,
    contact: {
      id: room.contactId,
      crm_id: room.crmId,
      first_name: room.firstName,
      last_name: room.lastName,
      phone: room.phone,
    },
    remote_waba_id: room.wabaId,
    remote_phone_id: room.remotePhoneId,
    assigned_to: room.assignedTo,
    handover_to: room.handoverTo,
    last_message: last,
    waiting_since: room.waitingSince?.toISOString() ?? null,
    created_at: room.createdAt.toISOString(),
  }
}

/** Listing chatrooms. */
export const listEndpoints = [list]
