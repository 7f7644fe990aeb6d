import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { ERRORS } from '../../src/errors.ts'
import { DESCRIBED_EVENTS } from '../../src/event-feed/schemas.ts'
import { createDocument } from '../../src/http/openapi.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { routesOf, startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { send } from '../support/http.ts'

type Json = { [key: string]: Json }
const spec: Json = JSON.parse(readFileSync('test/fixtures/spec-openapi.json', 'utf8'))
// As a client reads it: through JSON.
const ours: Json = JSON.parse(JSON.stringify(createDocument(ENDPOINTS, DESCRIBED_EVENTS)))

/**
 * Bounds that the original document (`test/fixtures/spec-openapi.json`) does not state: ids have 1 to 128 characters,
 * and unknown fields are refused. Everything else must equal the original.
 */
const ADDITIONS: Record<string, unknown> = { minLength: 1, maxLength: 128, additionalProperties: false }

/** A part of our document without those additions, and with lists whose order means nothing sorted. */
function comparable(part: unknown, theirs: unknown): unknown {
  if (Array.isArray(part)) {
    const sorted = [...part].sort((a, b) => nameOf(a).localeCompare(nameOf(b)))
    const others = Array.isArray(theirs) ? [...theirs].sort((a, b) => nameOf(a).localeCompare(nameOf(b))) : []
    return sorted.map((item, i) => comparable(item, others[i]))
  }
  if (typeof part !== 'object' || part === null) return part
  const given = theirs as Json | undefined
  const kept = Object.entries(part).filter(
    ([key, value]) => given?.[key] !== undefined || ADDITIONS[key] !== value,
  )
  return Object.fromEntries(kept.map(([key, value]) => [key, comparable(value, given?.[key])]))
}

function nameOf(item: unknown): string {
  return typeof item === 'object' && item !== null && 'name' in item ? String(item.name) : String(item)
}

const operations = Object.entries(spec.paths!).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

describe('the OpenAPI document', () => {
  it('has the twelve addresses of the original API document', () => {
    expect(operations).toHaveLength(12)
    for (const { path, method } of operations) expect(Object.keys(ours.paths![path] ?? {})).toContain(method)
  })

  it.each(operations)('describes $method $path as the original does', ({ path, method, operation }) => {
    const { description: words, ...mine } = ours.paths![path]![method]!
    const { description: specified, ...theirs } = operation
    expect(comparable(mine, theirs)).toEqual(comparable(theirs, theirs))
    const policy = (text: unknown) => String(text).toLowerCase().split('\n').slice(0, 3)
    expect(policy(words)).toEqual(policy(specified))
  })

  it.each(Object.keys(spec.components!.schemas!))('has the schema %s of the original', (name) => {
    const theirs = spec.components!.schemas![name]
    expect(comparable(ours.components!.schemas![name], theirs)).toEqual(comparable(theirs, theirs))
  })

  it('has the security scheme of the original, and every operation needs it', () => {
    expect(ours.components!.securitySchemes).toEqual(spec.components!.securitySchemes)
    expect(ours.security).toEqual([{ 'bearer-key': [] }])
  })

  it('lists every error with its code', () => {
    for (const [name, [code, text]] of Object.entries(ERRORS)) {
      expect(ours.info!.description).toContain(`${code} ${name}: ${text}`)
    }
  })
})

describe('the running API', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi((await createTestDatabase()).db)
  })

  it('has exactly the routes that the document describes', () => {
    const described = Object.entries(ours.paths!).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    const routes = routesOf(api.app).map(({ method, path }) => `${method} ${path}`)
    expect(routes.sort()).toEqual([...described, 'get /docs', 'get /openapi.json'].sort())
  })

  it('serves the document without a token', async () => {
    const { status, body, headers } = await api.call('GET', '/openapi.json', { as: null })
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/^application\/json/)
    expect(body).toEqual(ours)
  })

  it('shows the document as a page that loads nothing from other sites and runs no script', async () => {
    const { status, headers, body } = await send(`${api.url}/docs`)
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/^text\/html/)
    const style = /<style>([^<]*)<\/style>/.exec(body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    const markup = body.replaceAll(/<pre>.*?<\/pre>/gs, '')
    expect(markup).not.toMatch(/<script|<link|<img|<iframe|style=|src=|url\(|@import|https?:/)
    for (const path of Object.keys(ours.paths!)) expect(body).toContain(path)
    for (const name of Object.keys(ours.components!.schemas!)) expect(body).toContain(`id="${name}"`)
  })

  it('answers an unknown address with 404 in the common error shape', async () => {
    const { status, body } = await api.call('GET', '/v1/nothing')
    expect(status).toBe(404)
    expect(body).toMatchObject({ error_code: 4040001, error_message: 'NOT_FOUND', payload: {} })
  })
})
