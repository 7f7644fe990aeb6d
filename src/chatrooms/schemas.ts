import { z } from 'zod'
import { DEACTIVATION_REASONS } from '../db/schema/index.ts'
import { foreignId, instant, ownId } from '../input-fields.ts'
import type { Wish } from './pick-assignee.ts'

const assignmentFields = z.strictObject({
  assign_mode: z.enum(['USER', 'GROUP', 'DELEGATE']),
  user_id: foreignId.optional().meta({
    description:
      'User ID to assign the chatroom to. Either user_id or user_email is required when assign_mode is USER.',
  }),
  user_email: z.string().min(1).optional().meta({
    description:
      'User Email to assign the chatroom to. Either user_id or user_email is required when assign_mode is USER.',
  }),
  group_id: foreignId.optional().meta({
    description: 'Group ID to assign the chatroom to. Required when assign_mode is GROUP.',
  }),
  assign_on_handover: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether to assign the chatroom on handover' }),
})

function wishOf(fields: z.output<typeof assignmentFields>): Wish | undefined {
  const { assign_mode: mode, user_id: userId, user_email: email, group_id: groupId } = fields
  if (mode === 'DELEGATE') return { mode }
  if (mode === 'GROUP') return groupId === undefined ? undefined : { mode, groupId }
  if (userId !== undefined) return { mode, userId }
  return email === undefined ? undefined : { mode, email }
}

/** Parsed into a `Wish`; when both `user_id` and `user_email` are given, the id is used. */
export const ChatroomAssignmentDetailsDto = assignmentFields
  .meta({ id: 'ChatroomAssignmentDetailsDto' })
  .transform((fields, ctx) => {
    const assign = wishOf(fields)
    if (assign) return { assign, onHandover: fields.assign_on_handover }
    const [path, message] =
      fields.assign_mode === 'GROUP'
        ? ['group_id', 'is required when assign_mode is GROUP']
        : ['user_id', 'or user_email is required when assign_mode is USER']
    ctx.addIssue({ code: 'custom', path: [path], message })
    return z.NEVER
  })

export const CreateChatroomReqV3Dto = z
  .strictObject({
    lead_id: ownId,
    display_name: z.string().optional().meta({ deprecated: true }),
    remote_waba_id: foreignId.optional(),
    remote_phone_id: foreignId.optional(),
    force_deactivate: z.boolean().default(false).meta({
      description:
        'When this option is set to true, then all the existing chatrooms for the lead will be deactivated and a new chatroom would be created.',
    }),
    fail_if_chatroom_exists_on_other_waba_phone: z.boolean().default(true).meta({
      description:
        'If set to true, the request will fail if a chatroom already exists on a different WABA phone.',
    }),
    assign_details: ChatroomAssignmentDetailsDto,
  })
  .meta({ id: 'CreateChatroomReqV3Dto' })

export const CreateChatroomReqV2Dto = z
  .strictObject({
    user_id: foreignId,
    display_name: z.string().optional(),
    remote_waba_id: foreignId.optional(),
    remote_phone_id: foreignId.optional(),
    contact_id: ownId,
    fail_if_chatroom_exists_on_other_wabaphone: z.boolean().optional(),
    assign_on_handover: z.boolean().optional(),
  })
  .meta({ id: 'CreateChatroomReqV2Dto' })

export const ChatroomReassignReqV3Dto = z
  .strictObject({ assign_details: ChatroomAssignmentDetailsDto })
  .meta({ id: 'ChatroomReassignReqV3Dto' })

export const ReassignRoomReqV2Dto = z
  .strictObject({ user_id: foreignId })
  .meta({ id: 'ReassignRoomReqV2Dto' })

/** Parsed into a `Wish`; when both `user_id` and `group_id` are given, the user is used. */
export const AssignChatroomReqDto = z
  .strictObject({
    user_id: foreignId.optional(),
    group_id: foreignId.optional(),
    remote_waba_id: foreignId.optional(),
    remote_phone_id: foreignId.optional(),
    assign_on_handover: z.boolean().optional(),
  })
  .meta({ id: 'AssignChatroomReqDto' })
  .transform(({ user_id: userId, group_id: groupId, ...fields }, ctx) => {
    if (userId !== undefined) return { ...fields, assign: { mode: 'USER' as const, userId } }
    if (groupId !== undefined) return { ...fields, assign: { mode: 'GROUP' as const, groupId } }
    ctx.addIssue({ code: 'custom', path: ['user_id'], message: 'or group_id is required' })
    return z.NEVER
  })

export const DeactivateChatroomReqDto = z
  .strictObject({ deactivation_reason: z.enum(DEACTIVATION_REASONS).optional() })
  .meta({ id: 'DeactivateChatroomReqDto' })

const chatroomFields = z.strictObject({
  chatroom_id: z.string().optional(),
  external_ref_id: z.string().optional(),
  is_existing: z.boolean().optional(),
  is_deactivated: z.boolean().optional(),
  is_expired: z.boolean().optional(),
  expiry_ts: instant.optional(),
  deactivation_ts: instant.optional(),
})

export const ChatroomRespDto = chatroomFields
  .extend({ user_id: z.string().optional() })
  .meta({ id: 'ChatroomRespDto' })

const WabaDto = z
  .strictObject({
    remote_waba_id: z.string().optional(),
    matrix_host_name: z.string().optional(),
    name: z.string().optional(),
  })
  .meta({ id: 'WabaDto' })

export const WabaChatroomRespDto = chatroomFields
  .extend({ waba: WabaDto.optional() })
  .meta({ id: 'WabaChatroomRespDto' })

export const ChatroomDetailDto = ChatroomRespDto.extend({
  contact_id: z.string(),
  remote_waba_id: z.string(),
  remote_phone_id: z.string(),
  display_name: z.string(),
  state: z.enum(['active', 'deactivated', 'expired']),
  last_inbound_at: instant.nullable(),
  users: z.array(z.string()).meta({ description: 'Ids of the users of the chatroom.' }),
}).meta({ id: 'ChatroomDetailDto' })
