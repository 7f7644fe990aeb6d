import { z } from 'zod'
import { foreignId, instant } from '../input-fields.ts'
import { decodePlace } from './list-cursor.ts'

const STATES = ['active', 'deactivated', 'expired'] as const

/** The query of a list of chatrooms. `before`: the `next_before` of an earlier answer; absent: the first page. */
export const chatroomQuery = z.strictObject({
  state: z.enum(STATES).default('active'),
  assigned_to: foreignId.optional().meta({ description: 'The id of a user.' }),
  waiting: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .optional()
    .meta({ type: 'boolean', enum: undefined, description: 'Whether the customer waits for an answer.' }),
  before: z
    .string()
    .transform((value, ctx) => {
      const place = decodePlace(value)
      if (place) return place
      ctx.addIssue({ code: 'custom', message: 'must be the next_before of an earlier answer' })
      return z.NEVER
    })
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

const ContactOfChatroom = z
  .strictObject({
    id: z.string(),
    crm_id: z.string(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    phone: z.string().nullable(),
  })
  .meta({ id: 'ContactOfChatroom' })

const LastMessage = z
  .strictObject({
    sent_at: instant.meta({ description: "Meta's time" }),
    direction: z.enum(['in', 'out', 'echo']),
    type: z.string(),
  })
  .meta({ id: 'LastMessage' })

/** A chatroom as lists show it. */
export const ListedChatroomDto = z
  .strictObject({
    chatroom_id: z.string(),
    state: z.enum(STATES),
    display_name: z.string(),
    contact: ContactOfChatroom,
    remote_waba_id: z.string(),
    remote_phone_id: z.string(),
    assigned_to: z.string().nullable().meta({ description: 'The id of its user; null: nobody has it.' }),
    handover_to: z
      .string()
      .nullable()
      .meta({ description: 'The user who gets it when the customer writes next; null: none.' }),
    last_message: LastMessage.nullable(),
    waiting_since: instant.nullable().meta({
      description: "Meta's time of the first message that has no answer; null: the customer does not wait.",
    }),
    created_at: instant,
  })
  .meta({ id: 'ListedChatroomDto' })

/** A page of chatrooms; `next_before` is null on the last one. */
export const ChatroomListDto = z
  .strictObject({ chatrooms: z.array(ListedChatroomDto), next_before: z.string().nullable() })
  .meta({ id: 'ChatroomListDto' })
