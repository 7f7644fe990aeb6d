import { z } from 'zod'
import { defineEndpoint } from './endpoint.ts'
import { foreignId, ownId, queryFlag } from './fields.ts'

const Dto = z.strictObject({ a: z.string().optional(), n: z.iso.datetime().optional() })
export const e = [
  defineEndpoint({
    method: 'put',
    path: '/v1/org/{orgId}/contacts/chatroom/{chatroomId}/activate',
    operationId: 'x',
    summary: 's',
    tags: ['t'],
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    params: { orgId: foreignId, chatroomId: ownId },
    query: z.strictObject({ force_deactivate: queryFlag(false) }),
    body: z.strictObject({ deactivation_reason: z.enum(['A']).optional() }),
    bodyRequired: false,
    responses: { 200: { description: 'x', schema: Dto }, 202: { description: 'y' } },
    errors: { 400: 'b', 401: 'u', 403: 'f', 500: 'i' },
    handler: async ({ org, params, query, body, now }) => {
      const x: boolean = query.force_deactivate
      const y: string = params.chatroomId
      const r: 'A' | undefined = body.deactivation_reason
      if (x) return { status: 202 }
      return { status: 200, body: { a: `${y}${r}${org.id}`, n: now.toISOString() } }
    },
  }),
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/z',
    operationId: 'x',
    summary: 's',
    tags: ['t'],
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    params: { orgId: foreignId },
    responses: { 200: { description: 'x', schema: z.string() } },
    errors: { 422: 'b', 401: 'u', 403: 'f', 500: 'i' },
    // @ts-expect-error number is no string
    handler: async ({ params, body, query }) => ({ status: 200, body: { params, body, query } }),
  }),
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/z',
    operationId: 'x',
    summary: 's',
    tags: ['t'],
    policy: { role: 'ADMIN', impersonated: false, partner: true },
    // @ts-expect-error orgId is missing
    params: {},
    responses: { 200: { description: 'x', schema: z.string() } },
    errors: { 422: 'b', 401: 'u', 403: 'f', 500: 'i' },
    handler: async () => ({ status: 200, body: 'a' }),
  }),
]
