import { z } from 'zod'
import { ON_REJECTION } from '../db/schema/index.ts'
import { EVENT_TYPES } from '../event-log/types.ts'
import { instant } from '../input-fields.ts'

const MAX_URL = 2_048
const MAX_DESCRIPTION = 200

const url = z.string().min(1).max(MAX_URL)
const types = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .max(EVENT_TYPES.length)
  .nullable()
  .meta({ description: 'The types of events to post; null: all.' })
const description = z.string().max(MAX_DESCRIPTION).nullable()
const includeContent = z.boolean().meta({ description: 'Post what people wrote.' })
const onRejection = z.enum(ON_REJECTION).meta({
  description:
    'When an event was rejected ten times: skip it, or wait with the later events of the same customers.',
})

/** An endpoint to create. */
export const CreateWebhookEndpointReqDto = z
  .strictObject({
    url,
    types: types.default(null),
    description: description.default(null),
    enabled: z.boolean().default(true),
    include_content: includeContent.default(true),
    on_rejection: onRejection.default('skip'),
  })
  .meta({ id: 'CreateWebhookEndpointReqDto' })

/** A change of an endpoint; what is left out stays. */
export const UpdateWebhookEndpointReqDto = z
  .strictObject({
    url: url.optional(),
    types: types.optional(),
    description: description.optional(),
    enabled: z.boolean().optional(),
    include_content: includeContent.optional(),
    on_rejection: onRejection.optional(),
  })
  .meta({ id: 'UpdateWebhookEndpointReqDto' })

/** The fields of an endpoint in answers. */
export const shownEndpoint = {
  id: z.string(),
  url,
  types,
  description,
  enabled: z.boolean(),
  disabled_at: instant.nullable().meta({ description: 'When Usher disabled it; null: Usher did not.' }),
  disabled_reason: z.string().nullable(),
  include_content: includeContent,
  on_rejection: onRejection,
  old_secret_until: instant.nullable().meta({ description: 'Until then, the former secret signs along.' }),
  created_at: instant,
  updated_at: instant,
}

/** An endpoint as the API shows it. */
export const WebhookEndpointDto = z.strictObject(shownEndpoint).meta({ id: 'WebhookEndpointDto' })
export type ShownEndpoint = z.input<typeof WebhookEndpointDto>

/** The endpoints of an org, the oldest first. */
export const WebhookEndpointListDto = z
  .strictObject({ webhook_endpoints: z.array(WebhookEndpointDto) })
  .meta({ id: 'WebhookEndpointListDto' })

/** An endpoint with its secret. */
export const WebhookEndpointWithSecretDto = z
  .strictObject({
    ...shownEndpoint,
    secret: z.string().nullable().meta({
      description: 'Shown once: null in the answer to a repeated request. Rotate it if it got lost.',
    }),
  })
  .meta({ id: 'WebhookEndpointWithSecretDto' })
