import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Limit, rateLimitHeaders } from '../../src/http/rate-limit-headers.ts'
import { API_LIMITS } from '../../src/metrics/api.ts'
import { ENDPOINTS } from '../../workers/api.ts'

const token: Limit = { name: 'token', quota: 150, seconds: 60 }
const org: Limit = { name: 'org', quota: 300, seconds: 60 }

describe('the headers of the rate limits', () => {
  it('name each limit with its quota and its window, and what is left of it', () => {
    const standings = [
      { limit: token, left: 0, secondsLeft: 12 },
      { limit: org, left: 7, secondsLeft: 43 },
    ]
    expect(rateLimitHeaders([token, org], standings)).toEqual({
      'ratelimit-policy': '"token";q=150;w=60, "org";q=300;w=60',
      ratelimit: '"token";r=0;t=12, "org";r=7;t=43',
    })
  })

  it('say nothing of what is left while it could not be counted', () => {
    expect(rateLimitHeaders([org], [])).toEqual({ 'ratelimit-policy': '"org";q=300;w=60' })
  })

  it('are absent where no limit is set', () => {
    expect(rateLimitHeaders([], [])).toEqual({})
  })
})

describe('an endpoint', () => {
  const spec = JSON.parse(readFileSync('test/fixtures/spec-openapi.json', 'utf8'))

  it.each(ENDPOINTS)('$operationId documents 429, unless the original API does not list it', (endpoint) => {
    const original = spec.paths[endpoint.path]?.[endpoint.method]
    expect(429 in endpoint.errors).toBe(original === undefined || '429' in original.responses)
  })
})

it('the metric of refusals has a series for each limit', () => {
  expect([...API_LIMITS].sort()).toEqual([org.name, token.name].sort())
})
