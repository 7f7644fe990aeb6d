import { expect, it } from 'vitest'
import { DESCRIBED_EVENTS, EVENT_SCHEMAS } from '../../src/event-feed/schemas.ts'
import { EVENT_TYPES } from '../../src/event-log/types.ts'
import { createDocument } from '../../src/http/openapi.ts'
import { ENDPOINTS } from '../../workers/api.ts'
import { readRepositoryFile } from '../support/repository.ts'

const [, types = ''] = readRepositoryFile('docs/events.md').split('## Types')
const examples = [...types.matchAll(/^### (\S+)\n\n(?:.+\n)+\n```json\n(.+)\n```$/gm)]

it('docs/events.md has each type once', () => {
  expect(examples.map(([, type]) => type)).toEqual(EVENT_TYPES)
})

it.each(EVENT_TYPES.map((type, i) => ({ type, schema: EVENT_SCHEMAS[i]! })))(
  'the example of $type fits its schema',
  ({ type, schema }) => {
    const [, , example = ''] = examples.find(([, name]) => name === type) ?? []
    expect(schema.safeParse(JSON.parse(example)).error).toBeUndefined()
  },
)

it('the OpenAPI document has the JSON Schema of each type', () => {
  const document = JSON.parse(JSON.stringify(createDocument(ENDPOINTS, DESCRIBED_EVENTS)))
  expect(Object.keys(document['x-webhooks'])).toEqual(EVENT_TYPES)
  for (const { type, schema } of DESCRIBED_EVENTS) {
    const body = document['x-webhooks'][type].post.requestBody.content['application/json']
    expect(body.schema).toEqual({ $ref: `#/components/schemas/${schema}` })
    expect(document.components.schemas[schema].properties.type.enum).toEqual([type])
    expect(document.components.schemas[schema].properties.data.properties).toBeDefined()
  }
})
