import { z } from 'zod'
import { defineEndpoint } from '../http/endpoint.ts'
import { queryPhone } from '../identity/query-phone.ts'
import { foreignId, instant } from '../input-fields.ts'
import { explainRoute } from './explain.ts'

/** Whose route: of a phone, in any spelling, or of Meta's business-scoped id. */
const question = z
  .strictObject({
    remote_phone_id: foreignId,
    phone: queryPhone.optional(),
    user_id: foreignId.optional().meta({ description: "Meta's business-scoped id of the customer" }),
  })
  .refine((q) => q.phone !== undefined || q.user_id !== undefined, {
    path: ['phone'],
    error: 'or user_id is required',
  })

const RouteExplanationDto = z
  .strictObject({
    decision: z.enum(['active', 'reactivated', 'expired', 'held', 'created']).nullable(),
    chatroom_id: z.string().nullable(),
    reason: z.string(),
    candidates: z.array(
      z.strictObject({
        chatroom_id: z.string(),
        contact_id: z.string(),
        state: z.enum(['active', 'deactivated', 'expired']),
        since: instant,
      }),
    ),
  })
  .meta({ id: 'RouteExplanationDto' })

const explain = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/route',
  operationId: 'explainRoute',
  summary: 'Explain where a message would go',
  description: 'What would happen to a text of this customer to this number now, and why. Changes nothing.',
  tags: ['routing'],
  policy: { role: 'MEMBER', impersonated: true, partner: true },
  params: { orgId: foreignId },
  query: question,
  example: { query: 'phone=%2B919810000001&remote_phone_id=106540352242922' },
  responses: { 200: { description: 'The decision and its candidates', schema: RouteExplanationDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    404: 'The org has no such WABA phone',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, query, now }) => {
    const { phone, user_id: userId, remote_phone_id: remotePhoneId } = query
    return {
      status: 200,
      body: await explainRoute(db, { orgId: org.id, remotePhoneId, sender: { phone, userId }, now }),
    }
  },
})

/** Asking routing what it would do. */
export const routingEndpoints = [explain]
