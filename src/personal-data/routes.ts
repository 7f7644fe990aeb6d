import { z } from 'zod'
import { customerQuery } from '../contacts/schemas.ts'
import { ApiError } from '../errors.ts'
import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, instant, ownId } from '../input-fields.ts'
import { exportPerson } from './export-person.ts'
import { findPerson } from './find-person.ts'
import { readErasure } from './read-erasure.ts'
import { startErasure } from './start-erasure.ts'
import { eraseWhatIsShown } from './work-on-erasure.ts'

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

const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  404: 'Nobody of this org has this phone or user_id',
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
}

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
  errors,
  handler: async ({ db, org, query: { phone, user_id: userId } }) => {
    const person = await findPerson(db, org.id, { phone, userId })
    return { status: 200, pages: exportPerson(db, person) }
  },
})

const ErasureDto = z
  .strictObject({
    id: z.string(),
    state: z.enum(['running', 'finished']),
    requested_at: instant,
    finished_at: instant.nullable(),
    messages: z.int().meta({ description: 'The number of messages that were erased until now.' }),
  })
  .meta({ id: 'ErasureDto' })

const eraseOne = defineEndpoint({
  method: 'delete',
  path: '/v1/org/{orgId}/customer',
  operationId: 'eraseCustomer',
  summary: 'Erase a person',
  description:
    'Everything that is kept about the customer and those who were merged into it; it cannot be undone\n- From the answer on, nobody is found under the names and no message is shown; the rest is erased within a minute\n- Contacts and chatrooms stay, expired and without a name',
  tags: ['personal-data'],
  policy: { role: 'ADMIN', impersonated: false, partner: true },
  params: { orgId: foreignId },
  query: customerQuery,
  example: { query: 'phone=%2B919810000001' },
  responses: { 202: { description: 'The erasure, which goes on', schema: ErasureDto } },
  errors: { ...errors, 503: 'The clock of this server is wrong, or it has no SECRETS_KEY' },
  handler: async ({ db, org, actor, installation: { secretsKey }, query: { phone, user_id: userId } }) => {
    if (!secretsKey) throw new ApiError('SECRETS_KEY_MISSING')
    const key = await startErasure(db, { orgId: org.id, asked: { phone, userId }, actor, secretsKey })
    await eraseWhatIsShown(db, key, secretsKey)
    return { status: 202, body: await readErasure(db, key) }
  },
})

const showErasure = defineEndpoint({
  method: 'get',
  path: '/v1/org/{orgId}/customer/erasures/{erasureId}',
  operationId: 'getErasure',
  summary: 'Ask how far an erasure is',
  tags: ['personal-data'],
  policy: { role: 'ADMIN', impersonated: false, partner: true },
  params: { orgId: foreignId, erasureId: ownId },
  responses: { 200: { description: 'The erasure', schema: ErasureDto } },
  errors: { ...errors, 404: 'The org has no such erasure' },
  handler: async ({ db, org, params: { erasureId: id } }) => ({
    status: 200,
    body: await readErasure(db, { orgId: org.id, id }),
  }),
})

/** What a person may ask of those who keep data about them. */
export const personalDataEndpoints = [exportOne, eraseOne, showErasure]
