/** One limit, as a request that it counted finds it. `secondsLeft`: until it counts from 0 again. */
export type Standing = { limit: Limit; left: number; secondsLeft: number }

/** `quota`: the requests that are served in `seconds`. */
export type Limit = { name: 'org' | 'token'; quota: number; seconds: number }

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers: the limits that hold, and what is left of those that counted the
 * request. Both are lists of structured fields (RFC 9651). Without limits there are no headers.
 */
export function rateLimitHeaders(limits: readonly Limit[], standings: readonly Standing[]) {
  const policy = limits.map(({ name, quota, seconds }) => `"${name}";q=${quota};w=${seconds}`)
  const state = standings.map(({ limit, left, secondsLeft }) => `"${limit.name}";r=${left};t=${secondsLeft}`)
  return {
    ...(policy.length > 0 && { 'ratelimit-policy': policy.join(', ') }),
    ...(state.length > 0 && { ratelimit: state.join(', ') }),
  }
}
