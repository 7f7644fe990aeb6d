import { describe, expect, it } from 'vitest'
import { DESCRIBED_EVENTS } from '../../src/event-feed/schemas.ts'
import { answerOf } from '../../src/http/docs-example.ts'
import { renderDocs } from '../../src/http/docs-page.ts'
import { createDocument } from '../../src/http/openapi.ts'
import { ENDPOINTS } from '../../workers/api.ts'

const document = createDocument(ENDPOINTS, DESCRIBED_EVENTS)
const page = renderDocs(document, new Map(ENDPOINTS.map((one) => [one.operationId, one.example ?? {}])))

describe.each(ENDPOINTS)('the documentation of $operationId', (endpoint) => {
  const { method, path, body, query, example, responses, deprecated } = endpoint

  it('has a request that the endpoint takes', () => {
    const asked = Object.fromEntries(new URLSearchParams(example?.query))
    if (query) expect(query.safeParse(asked).error).toBeUndefined()
    else expect(example?.query).toBeUndefined()
    if (body) expect(body.safeParse(example?.body).error).toBeUndefined()
    else expect(example?.body).toBeUndefined()
  })

  it('has an answer that the endpoint could give', () => {
    const operation = document.paths[path]![method]!
    const answer = answerOf(operation, document.components?.schemas ?? {})
    const [first] = Object.values(responses)
    const schema = first?.schema ?? first?.line
    expect(answer === undefined).toBe(schema === undefined)
    if (schema && answer) expect(schema.safeParse(JSON.parse(answer)).error).toBeUndefined()
  })

  it('says what to use instead, if it is deprecated', () => {
    const { deprecated: isDeprecated, description } = document.paths[path]![method]!
    expect(isDeprecated === true).toBe(deprecated !== undefined)
    if (deprecated) expect(description).toContain(`\n- Deprecated: ${deprecated}`)
  })
})

it('the page of the documentation strikes nothing through, and is light or dark as the browser prefers', () => {
  expect(page).not.toContain('line-through')
  expect(page).toContain('prefers-color-scheme: dark')
  expect(page.match(/For example:/g)).toHaveLength(ENDPOINTS.length)
})
