import { z } from 'zod'
import { customerQuery } from '../contacts/schemas.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId } from '../input-fields.ts'
import { exportPerson } from './export-person.ts'
import { findPerson } from './find-person.ts'

const KINDS = [
  ...([
    'customer',
    'name',
    'former_name',
    'contact',
    'chatroom',
    'message',
    'call',
    'send',
    'audit',
  ] as const),
  ...(['event', 'webhook_attempt', 'account_event', 'delivery', 'summary'] as const),
]

const ExportLineDto = z.looseObject({ kind: z.enum(KINDS) }).meta({
  id: 'CustomerExportLineDto',
  description:
    'The fields of the row that is kept, or of `summary`: `complete` and `lines`, the number of lines by kind.',
})

const exportOne = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/customer/export',
  operationId: 'exportCustomer',
  summary: 'Export everything about a person',
  description:
    'One JSON object a line: all that is kept about the customer and those who were merged into it\n- Media are named by their id at Meta\n- The last line is `summary`; an export without it is not complete',
  tags: ['personal-data'],
  policy: { role: 'ADMIN', impersonated: false, partner: true },
  params: { orgId: foreignId },
  query: customerQuery,
  example: { query: 'phone=%2B919810000001' },
  responses: { 200: { description: 'The lines', line: ExportLineDto } },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: "Forbidden - You don't have permission to access this resource",
    404: 'Nobody of this org has this phone or user_id',
    422: 'Required fields are missing or invalid values are provided',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
  },
  handler: async ({ db, org, query: { phone, user_id: userId } }) => {
    const person = await findPerson(db, org.id, { phone, userId })
    return { status: 200, pages: exportPerson(db, person) }
  },
})

/** What a person may ask of those who keep data about them. */
export const personalDataEndpoints = [exportOne]
