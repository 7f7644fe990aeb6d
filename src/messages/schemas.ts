import { z } from 'zod'
import { ROUTES } from '../db/schema/index.ts'
import { instant } from '../input-fields.ts'
import { decodeCursor } from './message-page.ts'
import { SEND_STATUSES } from './send-state.ts'

/** A message as the API shows it. */
export const MessageDto = z
  .strictObject({
    id: z.string().nullable().meta({
      description: 'The id of a message that Usher sends; it stays when Meta gives the message its wamid.',
    }),
    wamid: z.string(),
    direction: z.enum(['in', 'out', 'echo']),
    type: z.string(),
    sent_at: instant.meta({ description: "Meta's time" }),
    received_at: instant,
    route: z.enum(ROUTES).nullable().meta({ description: 'null: took no part in routing' }),
    reason: z.string().meta({ description: 'Why the message landed here.' }),
    from: z.string().nullable(),
    wa_id: z.string().nullable(),
    user_id: z.string().nullable().meta({ description: "Meta's business-scoped id of the customer" }),
    chatroom_id: z.string().nullable(),
    status: z.enum(SEND_STATUSES).nullable().meta({ description: 'null: not sent by Usher' }),
    status_reason: z.string().nullable().meta({ description: 'Why it waits, failed, or is unknown.' }),
    next_try_at: instant.nullable().meta({ description: 'When a message that waits is tried next.' }),
    retry_of: z.string().nullable().meta({ description: 'The id of the message that this one sends again.' }),
    errors: z.unknown().meta({ type: 'array', items: {}, nullable: true }),
    payload: z.unknown().meta({ type: 'object', description: 'What Meta sent, or what was sent to Meta.' }),
  })
  .meta({ id: 'MessageDto' })

/** A page of messages, newest first; `next_before` is null on the last one. */
export const MessageListDto = z
  .strictObject({ messages: z.array(MessageDto), next_before: z.string().nullable() })
  .meta({ id: 'MessageListDto' })

/** The query of a page. `before`: the `next_before` of an earlier answer; absent: the newest messages. */
export const pageQuery = z.strictObject({
  before: z
    .string()
    .transform((value, ctx) => {
      const cursor = decodeCursor(value)
      if (cursor) return cursor
      ctx.addIssue({ code: 'custom', message: 'must be the next_before of an earlier answer' })
      return z.NEVER
    })
    .optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

/** The query of a page of a chatroom's messages. `status`: only messages that Usher sent and that have this status. */
export const chatroomPageQuery = pageQuery.extend({ status: z.enum(SEND_STATUSES).optional() })
