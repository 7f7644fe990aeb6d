import { z } from 'zod'

/** Meta's template object. Its components pass through unchecked: Meta checks them. */
const template = z
  .strictObject({
    name: z.string().min(1).max(512),
    language: z.strictObject({ code: z.string().min(2).max(16) }),
    components: z.array(z.record(z.string(), z.unknown())).max(32).optional(),
  })
  .meta({ id: 'TemplateDto' })

/** One message to send: a text of at most 4,096 characters, or a template. */
export const SendMessageReqDto = z
  .strictObject({
    origin: z.enum(['AGENT', 'CAMPAIGN']),
    text: z.strictObject({ body: z.string().min(1).max(4096) }).optional(),
    template: template.optional(),
  })
  .refine((message) => (message.text === undefined) !== (message.template === undefined), {
    error: 'needs either text or template',
  })
  .meta({ id: 'SendMessageReqDto' })
export type SendMessageReq = z.output<typeof SendMessageReqDto>

/** The request to send a message again. `confirm`: also if the customer may get it twice, since its outcome is unknown. */
export const RetryMessageReqDto = z
  .strictObject({ confirm: z.boolean().default(false) })
  .meta({ id: 'RetryMessageReqDto' })

const MAX_WAMID = 512

/** The wamid of a message, or the id of one that Usher sends. */
export const wamidParam = z.string().min(1).max(MAX_WAMID)
