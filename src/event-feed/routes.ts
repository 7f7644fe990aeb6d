import { z } from 'zod'
import { EVENT_TYPES } from '../event-log/types.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, queryFlag } from '../input-fields.ts'
import { decodeCursor } from './cursor.ts'
import { listEvents } from './list-events.ts'
import { EventListDto } from './schemas.ts'

const MAX_WAIT_SECONDS = 25

const eventQuery = z.strictObject({
  after: z
    .string()
    .transform((value, ctx) => {
      const cursor = decodeCursor(value)
      if (cursor) return cursor
      ctx.addIssue({ code: 'custom', message: 'must be the next of an earlier answer' })
      return z.NEVER
    })
    .optional(),
  types: z
    .string()
    .transform((value) => value.split(','))
    .pipe(z.array(z.enum(EVENT_TYPES)).min(1))
    .optional()
    .meta({ type: 'string', description: 'Comma-separated; absent: all types' }),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_SECONDS).default(0),
  include_content: queryFlag(true),
})

const list = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/events',
  operationId: 'listEvents',
  summary: 'Read the event log',
  description:
    'What happened in the org, in order, from a cursor on; no event is ever skipped\n- `after`: the `next` of the answer before; absent: from the oldest event that is kept\n- `wait`: seconds to wait for an event if there is none',
  tags: ['events'],
  policy: { role: 'ADMIN', impersonated: true, partner: true },
  params: { orgId: foreignId },
  query: eventQuery,
  example: { query: 'types=message.received&wait=20' },
  responses: { 200: { description: 'A page of events', schema: EventListDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    410: 'Events behind the cursor are not kept any more; `payload.oldest` is the oldest cursor that is left',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, query: { wait, include_content, ...query } }) => ({
    status: 200,
    body: await listEvents(db, {
      ...{ orgId: org.id, after: query.after, types: query.types, limit: query.limit },
      ...{ waitSeconds: wait, includeContent: include_content },
    }),
  }),
})

/** Reading what happened. */
export const eventEndpoints = [list]
