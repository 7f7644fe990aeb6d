import type { RequestExample } from './endpoint.ts'
import type { OpenApiDocument } from './openapi.ts'
import { NDJSON } from './send-lines.ts'

type Operation = NonNullable<OpenApiDocument['paths'][string]['get']>
type Schemas = NonNullable<NonNullable<OpenApiDocument['components']>['schemas']>
type Schema = Schemas[string]
type Media = { content?: Record<string, { schema?: Schema }> }

/** Values of fields and path parameters by name; those of other names depend on their type. */
const VALUES: Record<string, string> = {
  orgId: 'acme',
  userId: 'asha',
  groupId: 'sales',
  phoneNumber: '+919810000001',
  assigned_to: 'asha',
  user_id: 'asha',
  group_id: 'sales',
  crm_id: 'lead-1',
  phone: '+919810000001',
  wa_id: '919810000001',
  wamid: 'wamid.HBgMOTE5ODEwMDAwMDAx',
  remote_phone_id: '106540352242922',
  remote_waba_id: '102290129340398',
  url: 'https://crm.example.com/usher',
  first_name: 'Ana',
  last_name: 'Rao',
  display_name: 'lead-1 Ana Rao',
  handover_to: 'bela',
}
const UUID = '0198c7a2-5b1e-7c3d-9a40-2f6d1b8e4c75'
const TIME = '2026-01-31T09:30:00.000Z'
const MAX_DEPTH = 10

/** The request of an operation as a command line. */
export function curlOf(
  method: string,
  path: string,
  operation: Operation,
  { query, body }: RequestExample,
): string {
  const address = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(textOf(name)))
  const url = `"$USHER${address}${query === undefined ? '' : `?${query}`}"`
  const lines = [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} ${url}`,
    '-H "authorization: Bearer $TOKEN"',
    ...(body === undefined ? [] : bodyOf(body, operation)),
  ]
  return lines.join(' \\\n  ')
}

function bodyOf(body: unknown, { requestBody }: Operation): string[] {
  const isLine = NDJSON in ((requestBody as Media | undefined)?.content ?? {})
  const [type, text] = isLine
    ? [NDJSON, JSON.stringify(body)]
    : ['application/json', JSON.stringify(body, null, 2)]
  return [`-H 'content-type: ${type}'`, `-d '${text}'`]
}

/** The JSON of an operation's first answer, made from its schema; undefined for an answer without a body. */
export function answerOf({ responses }: Operation, schemas: Schemas): string | undefined {
  const [media, content] =
    Object.entries((Object.values(responses)[0] as Media | undefined)?.content ?? {})[0] ?? []
  const isLines = media === NDJSON
  return (
    content?.schema && JSON.stringify(sampleOf(content.schema, schemas, '', 0), null, isLines ? undefined : 2)
  )
}

function sampleOf(schema: Schema, schemas: Schemas, name: string, depth: number): unknown {
  if ('$ref' in schema) {
    const named = schemas[schema.$ref.split('/').at(-1) ?? '']
    return named && sampleOf(named, schemas, name, depth)
  }
  const { allOf = [], oneOf = [], anyOf = [], items, properties = {}, type } = schema
  const [first] = [...allOf, ...oneOf, ...anyOf]
  if (first) return sampleOf(first, schemas, name, depth)
  if (items) return depth < MAX_DEPTH ? [sampleOf(items, schemas, name, depth + 1)] : []
  return type === 'object' ? objectOf(properties, schemas, depth) : scalarOf(schema, name)
}

function objectOf(properties: Schemas, schemas: Schemas, depth: number): Record<string, unknown> {
  if (depth >= MAX_DEPTH) return {}
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, sampleOf(schema, schemas, name, depth + 1)]),
  )
}

function scalarOf(schema: Exclude<Schema, { $ref: string }>, name: string): unknown {
  const { type, format, default: fallback, enum: values = [] } = schema
  if (fallback !== undefined || values.length > 0) return fallback ?? values[0]
  if (type === 'boolean') return false
  if (type === 'integer' || type === 'number') return 1
  return format === 'date-time' ? TIME : textOf(name)
}

function textOf(name: string): string {
  return VALUES[name] ?? (/(^|_)ids?$|Id$/.test(name) ? UUID : 'text')
}
