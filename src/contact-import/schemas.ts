import { z } from 'zod'
import { ChatroomAssignmentDetailsDto } from '../chatrooms/schemas.ts'
import { ContactReqDto, PhoneNumber } from '../contacts/schemas.ts'
import { foreignId } from '../input-fields.ts'

const ImportChatroomDto = z
  .strictObject({
    remote_waba_id: foreignId.optional(),
    remote_phone_id: foreignId.optional(),
    fail_if_chatroom_exists_on_other_waba_phone: z.boolean().default(true),
    assign_details: ChatroomAssignmentDetailsDto.optional(),
  })
  .meta({ id: 'ImportChatroomDto' })

/**
 * A line of an import: a contact as `POST /v2/org/{orgId}/contact` takes it; the phone may also be a text. With
 * `chatroom`, the contact gets one as by `POST /v3/org/{orgId}/lead/chatroom`, unless it has one.
 */
export const ImportContactDto = ContactReqDto.extend({
  phone_number: z
    .union([PhoneNumber, z.string()])
    .transform((phone) => (typeof phone === 'string' ? { rawInput: phone } : phone))
    .meta({ description: 'as in ContactReqDto, or a text in E.164 form' }),
  chatroom: ImportChatroomDto.optional().meta({
    description: 'the contact gets a chatroom, unless it has one',
  }),
}).meta({ id: 'ImportContactDto' })
export type ImportContact = z.output<typeof ImportContactDto>

/** The fields of a line that the contact of its `crm_id` may have otherwise. */
export const COMPARED_FIELDS = [
  'phone_number',
  'opt_in_date',
  'first_name',
  'last_name',
  'governance_level_id',
  'is_inbound',
  'source',
] as const
export type ComparedField = (typeof COMPARED_FIELDS)[number]

const RejectionDto = z.strictObject({
  error_code: z.int(),
  error_message: z.string(),
  error_description: z.string(),
  payload: z.looseObject({}).meta({ type: 'object' }),
})

/** What became of a line. */
const ImportResultDto = z
  .strictObject({
    line: z.int().min(1).meta({ description: 'the number of the line, counted from 1' }),
    status: z.enum(['created', 'exists', 'rejected']),
    crm_id: z.string().optional(),
    contact_id: z.string().optional(),
    chatroom_id: z.string().optional(),
    differs: z.array(z.enum(COMPARED_FIELDS)).optional().meta({
      description: 'of a contact that exists: the fields that it has otherwise; nothing is changed',
    }),
    error: RejectionDto.optional(),
  })
  .meta({ id: 'ImportResultDto' })
export type ImportResult = z.input<typeof ImportResultDto>

const ImportSummaryDto = z
  .strictObject({
    summary: z.strictObject({
      lines: z.int(),
      created: z.int(),
      exists: z.int(),
      rejected: z.int(),
    }),
  })
  .meta({ id: 'ImportSummaryDto' })
export type ImportSummary = z.input<typeof ImportSummaryDto>['summary']

/** A line of the answer to an import. */
export const ImportAnswerDto = z.union([ImportResultDto, ImportSummaryDto])
