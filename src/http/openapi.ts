import { OpenAPIRegistry, OpenApiGeneratorV3, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { ERRORS } from '../errors.ts'
import type { AdminEndpoint } from './admin-endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { Policy } from './policy.ts'
import { NDJSON } from './send-lines.ts'

export type OpenApiDocument = ReturnType<OpenApiGeneratorV3['generateDocument']>

const SECURITY_SCHEME = 'bearer-key'

/** Documents `ErrorBody`. */
const ErrorRespDto = z
  .object({
    error_code: z.int().optional(),
    error_message: z.string().optional(),
    error_description: z.string().optional(),
    payload: z.looseObject({}).meta({ type: 'object' }).optional(),
  })
  .meta({ id: 'ErrorRespDto' })

/** An event, and the name of its schema, which an endpoint's answer contains. */
export type DescribedEvent = { type: string; schema: string }

/**
 * The OpenAPI 3.0.1 document, generated from the endpoints alone. OpenAPI has `webhooks` only since 3.1, whose documents
 * clients of the original API cannot read; `x-webhooks` is the same in the 3.0 documents of others.
 */
export function createDocument(
  endpoints: Endpoint[] | AdminEndpoint[],
  events: DescribedEvent[] = [],
  title = 'Chatroom and contact API',
): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  registry.registerComponent('securitySchemes', SECURITY_SCHEME, {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  for (const endpoint of endpoints) registry.registerPath(toRoute(endpoint))
  const document = new OpenApiGeneratorV3(registry.definitions).generateDocument({
    openapi: '3.0.1',
    info: { title, version: 'v0', description: describeErrors() },
    security: [{ [SECURITY_SCHEME]: [] }],
  })
  return events.length > 0 ? { ...document, 'x-webhooks': describeEvents(events) } : document
}

function describeEvents(events: DescribedEvent[]): Record<string, object> {
  const describe = ({ type, schema }: DescribedEvent) => ({
    post: {
      summary: type,
      requestBody: {
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
      },
      responses: { 204: { description: 'The event was taken.' } },
    },
  })
  return Object.fromEntries(events.map((event) => [event.type, describe(event)]))
}

type Documented = Omit<AdminEndpoint, 'prepare'> &
  Partial<Pick<Endpoint, 'policy' | 'deprecated' | 'idempotent' | 'stream'>>

function toRoute(endpoint: Documented): RouteConfig {
  const { method, path, operationId, summary, tags, deprecated, policy, params, query, body } = endpoint
  const request = {
    params: z.object(params),
    ...(query && { query }),
    ...(body && {
      body: { ...bodyOf(endpoint, body), ...(endpoint.bodyRequired !== false && { required: true }) },
    }),
    ...(endpoint.idempotent && { headers: [IDEMPOTENCY_KEY] }),
  }
  const description = [
    ...(policy ? describePolicy(policy) : ['Allowed: ADMIN_TOKEN, a JWT of the role OPERATOR, or a login']),
    ...(endpoint.description ? [endpoint.description] : []),
    ...(deprecated ? [`Deprecated: ${deprecated}`] : []),
  ]
  return {
    ...{ method, path, operationId, summary, tags, description: description.join('\n- ') },
    ...(deprecated && { deprecated: true }),
    request,
    responses: describeResponses(endpoint),
  }
}

const IDEMPOTENCY_KEY = z
  .string()
  .min(1)
  .max(255)
  .optional()
  .meta({ param: { name: 'Idempotency-Key', in: 'header' } })

function describeResponses({ responses, errors }: Documented): RouteConfig['responses'] {
  const successes = Object.entries(responses).map(([status, { description, schema, line }]) => [
    status,
    { description, ...(schema && json(schema)), ...(line && { content: { [NDJSON]: { schema: line } } }) },
  ])
  const failures = Object.entries(errors).map(([status, description]) => [
    status,
    { description, ...json(ErrorRespDto) },
  ])
  return Object.fromEntries([...successes, ...failures])
}

/** A body, or a line of it, where the endpoint reads line by line. */
function bodyOf({ stream }: Documented, schema: z.ZodType) {
  return stream ? { content: { [NDJSON]: { schema } } } : json(schema)
}

function json(schema: z.ZodType) {
  return { content: { 'application/json': { schema } } }
}

/** These lines have fixed wording: clients of the original API read them. */
function describePolicy({ role, impersonated, partner }: Policy): string[] {
  const word = (allowed: boolean) => (allowed ? 'True' : 'False')
  return [
    `Roles Allowed: ${role}`,
    `Impersonated User Allowed: ${word(impersonated)}`,
    `Partner Allowed: ${word(partner)}`,
  ]
}

function describeErrors(): string {
  const lines = Object.entries(ERRORS).map(([name, [code, text]]) => `- ${code} ${name}: ${text}`)
  return ['Every error has one of these values of `error_code`:', ...lines].join('\n')
}
