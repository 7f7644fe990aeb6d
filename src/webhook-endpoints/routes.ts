import { defineEndpoint } from '../http/endpoint.ts'
import { foreignId, ownId } from '../input-fields.ts'
import { createEndpoint } from './create-endpoint.ts'
import { deleteEndpoint } from './delete-endpoint.ts'
import { toEndpoint } from './present.ts'
import { listEndpoints } from './read-endpoints.ts'
import { rotateSecret } from './rotate-secret.ts'
import {
  CreateWebhookEndpointReqDto,
  UpdateWebhookEndpointReqDto,
  WebhookEndpointDto,
  WebhookEndpointListDto,
  WebhookEndpointWithSecretDto,
} from './schemas.ts'
import { updateEndpoint } from './update-endpoint.ts'

const tags = ['webhook-endpoints']
const reading = { role: 'ADMIN', impersonated: true, partner: true } as const
const writing = { role: 'ADMIN', impersonated: false, partner: true } as const
const ofOrg = { orgId: foreignId }
const ofEndpoint = { orgId: foreignId, endpointId: ownId }
const errors = {
  401: 'Unauthorized - Authentication is required',
  403: "Forbidden - You don't have permission to access this resource",
  422: 'Required fields are missing or invalid values are provided, or the URL is refused',
  429: 'Too many requests of this org or this token',
  500: 'Internal Exception',
  503: 'The clock of this server is wrong, or it has no SECRETS_KEY',
}
const errorsOfOne = { ...errors, 404: 'The org has no such webhook endpoint' }
const isSecretOnce = { idempotent: true, shownOnce: ['secret'] }

/** Where an org has its events posted to. */
export const webhookEndpointRoutes = [
  defineEndpoint({
    method: 'post',
    path: '/v1/org/{orgId}/webhook-endpoints',
    operationId: 'createWebhookEndpoint',
    summary: 'Create a webhook endpoint',
    description:
      'Events that happen from now on are posted to the URL, signed as Standard Webhooks says\n- https only, to a public address; at most 10 in an org\n- The secret is shown only in this answer',
    tags,
    policy: writing,
    ...isSecretOnce,
    params: ofOrg,
    body: CreateWebhookEndpointReqDto,
    example: { body: { url: 'https://crm.example.com/usher', types: ['message.received'] } },
    responses: { 201: { description: 'The endpoint is created', schema: WebhookEndpointWithSecretDto } },
    errors: { ...errors, 409: 'The org has 10 endpoints, or the Idempotency-Key was used otherwise' },
    handler: async ({ db, org, actor, now, body, installation }) => {
      const created = await createEndpoint(db, { orgId: org.id, settings: body, actor, installation })
      return { status: 201, body: { ...toEndpoint(created.endpoint, now), secret: created.secret } }
    },
  }),
  defineEndpoint({
    method: 'get',
    path: '/v1/org/{orgId}/webhook-endpoints',
    operationId: 'listWebhookEndpoints',
    summary: 'List the webhook endpoints',
    tags,
    policy: reading,
    params: ofOrg,
    responses: { 200: { description: 'The endpoints, the oldest first', schema: WebhookEndpointListDto } },
    errors,
    handler: async ({ db, org, now }) => {
      const found = await listEndpoints(db, org.id)
      return { status: 200, body: { webhook_endpoints: found.map((one) => toEndpoint(one, now)) } }
    },
  }),
  defineEndpoint({
    method: 'patch',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}',
    operationId: 'updateWebhookEndpoint',
    summary: 'Change a webhook endpoint',
    description:
      'Settings that are left out stay; an endpoint that is enabled again goes on where it stopped.',
    tags,
    policy: writing,
    params: ofEndpoint,
    body: UpdateWebhookEndpointReqDto,
    example: { body: { enabled: false } },
    responses: { 200: { description: 'The endpoint as it is now', schema: WebhookEndpointDto } },
    errors: errorsOfOne,
    handler: async ({ db, org, actor, now, params, body, installation }) => {
      const change = { orgId: org.id, id: params.endpointId, changes: body, actor, installation }
      return { status: 200, body: toEndpoint(await updateEndpoint(db, change), now) }
    },
  }),
  defineEndpoint({
    method: 'delete',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}',
    operationId: 'deleteWebhookEndpoint',
    summary: 'Delete a webhook endpoint',
    tags,
    policy: writing,
    params: ofEndpoint,
    responses: { 204: { description: 'Nothing is posted to it any more' } },
    errors: errorsOfOne,
    handler: async ({ db, org, actor, params }) => {
      await deleteEndpoint(db, { orgId: org.id, id: params.endpointId, actor })
      return { status: 204 }
    },
  }),
  defineEndpoint({
    method: 'post',
    path: '/v1/org/{orgId}/webhook-endpoints/{endpointId}/rotate-secret',
    operationId: 'rotateWebhookSecret',
    summary: 'Rotate the secret of a webhook endpoint',
    description:
      'Requests have a signature by the former secret too, for 24 h\n- The secret is shown only in this answer',
    tags,
    policy: writing,
    ...isSecretOnce,
    params: ofEndpoint,
    responses: { 200: { description: 'The new secret', schema: WebhookEndpointWithSecretDto } },
    errors: { ...errorsOfOne, 409: 'The Idempotency-Key was used otherwise' },
    handler: async ({ db, org, actor, now, params: { endpointId: id }, installation }) => {
      const rotated = await rotateSecret(db, { orgId: org.id, id, actor, installation })
      return { status: 200, body: { ...toEndpoint(rotated.endpoint, now), secret: rotated.secret } }
    },
  }),
]
