import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { toEndpoint } from '../webhook-endpoints/present.ts'
import { readEndpoint } from '../webhook-endpoints/read-endpoints.ts'
import { listAttempts } from './list-attempts.ts'
import { presentAttempt } from './present-attempt.ts'
import { readStanding } from './read-standing.ts'
import { replayAfter, replayPeriod } from './replay.ts'
import {
  attemptQuery,
  ReplayReqDto,
  WebhookAttemptDto,
  WebhookAttemptListDto,
  WebhookEndpointStandingDto,
} from './schemas.ts'
import { testEndpoint } from './test-endpoint.ts'

const tags = ['webhook-endpoints']
const reading = { role: 'ADMIN', impersonated: true, partner: true } as const
const writing = { role: 'ADMIN', impersonated: false, partner: true } as const
const params = { orgId: foreignId, endpointId: ownId }
const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  404: 'The org has no such webhook endpoint',
  422: 'Required fields are missing or invalid values are provided',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
  503: 'The clock of this server is wrong, or it cannot read the secret',
}
const TEST_SECONDS = 1

/** How far the endpoints of an org are, their last requests, and posting once more. */
export const eventPushRoutes = [
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}',
    operationId: 'getWebhookEndpoint',
    summary: 'Get a webhook endpoint, and how far it is',
    tags,
    policy: reading,
    params,
    responses: { 200: { description: 'The endpoint', schema: WebhookEndpointStandingDto } },
    errors,
    handler: async ({ db, org, now, params: { endpointId } }) => {
      const endpoint = await readEndpoint(db, org.id, endpointId)
      return { status: 200, body: { ...toEndpoint(endpoint, now), ...(await readStanding(db, endpoint)) } }
    },
  }),
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}/attempts',
    operationId: 'listWebhookAttempts',
    summary: 'List the last requests to a webhook endpoint',
    description: 'Up to 500, the newest first; of those that delivered an event, ten in a second are kept',
    tags,
    policy: reading,
    params,
    query: attemptQuery,
    example: { query: 'limit=20' },
    responses: { 200: { description: 'The requests', schema: WebhookAttemptListDto } },
    errors,
    handler: async ({ db, org, params: { endpointId }, query: { limit } }) => {
      const rows = await listAttempts(db, await readEndpoint(db, org.id, endpointId), limit)
      return { status: 200, body: { attempts: rows.map(presentAttempt) } }
    },
  }),
  defineEndpoint({
    method: 'post',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}/test',
    operationId: 'testWebhookEndpoint',
    summary: 'Post a test event to a webhook endpoint',
    description: 'Posts an event of the type webhook.test at once, also if the endpoint is not enabled',
    tags,
    policy: writing,
    params,
    responses: { 200: { description: 'How the request ended', schema: WebhookAttemptDto } },
    errors: {
      ...errors,
      429: 'Too many requests of this org or this token; or the endpoint was tested less than a second ago',
    },
    handler: async ({ db, org, now, limitOnce, installation, params: { endpointId } }) => {
      const endpoint = await readEndpoint(db, org.id, endpointId)
      await limitOnce(`${org.id}:test-webhook:${endpointId}`, TEST_SECONDS)
      return { status: 200, body: presentAttempt(await testEndpoint(db, endpoint, { now, installation })) }
    },
  }),
  defineEndpoint({
    method: 'post',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}/replay',
    operationId: 'replayWebhookEvents',
    summary: 'Post events once more',
    description: [
      '- after: begin again behind a cursor of the event log, with everything that happened since, in order',
      '- from, to: the events of a period, one after another, beside what happens meanwhile',
    ].join('\n'),
    tags,
    policy: writing,
    idempotent: true,
    params,
    body: ReplayReqDto,
    example: { body: { from: '2026-01-31T09:00:00Z', to: '2026-01-31T10:00:00Z' } },
    responses: { 202: { description: 'The events will be posted' } },
    errors: {
      ...errors,
      409: 'A replay of a period is running, or the Idempotency-Key was used otherwise',
      410: 'Events behind the cursor are not kept any more; `payload.oldest` is the oldest cursor that is left',
    },
    handler: async ({ db, org, actor, params: { endpointId: id }, body: { after, from, to } }) => {
      const replay = { orgId: org.id, id, actor }
      if (after) await replayAfter(db, replay, after)
      else if (from && to) await replayPeriod(db, replay, { from, to })
      return { status: 202 }
    },
  }),
]
