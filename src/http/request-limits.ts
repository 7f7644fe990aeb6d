import { createHash } from 'node:crypto'
import type { Response } from 'express'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import type { Config, RedisAccess } from '../config.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'
import { producerClient } from '../queue/redis.ts'
import type { Caller } from './caller.ts'
import type { Endpoint } from './endpoint.ts'
import { type Limit, rateLimitHeaders, type Standing } from './rate-limit-headers.ts'

/** `orgId`: the org of the request's path, for which `caller` is authorized. */
type Counted = { endpoint: Pick<Endpoint, 'errors'>; orgId: string; caller: Caller }

export type RequestLimits = {
  /**
   * Counts an authorized request under the limit of its token, then under that of its org, and tells both in the
   * headers of the answer. A request that a limit refuses is not counted under the next one, so a caller that is
   * refused takes nothing from the others of the org.
   * @throws ApiError RATE_LIMITED with the seconds to wait, if the endpoint documents 429; the original API lists no 429
   * for most of its endpoints, so these are counted and served
   */
  count(request: Counted, res: Response): Promise<void>
  close(): void
}

/** A limit must not hold a request up for longer. */
const COMMAND_MS = 500

type Parts = {
  limits: Config['apiLimits']
  redis: RedisAccess | undefined
  onRefused: (limit: Limit['name']) => void
  log: Logger
  /** How long a limit counts before it begins again. */
  seconds?: number
}

/**
 * The limits of the API: for all processes together, by the clock of Redis, where Redis is configured; else for each
 * process by itself. While the store does not answer, requests are served uncounted, because a limit must not cause an
 * outage.
 */
export function createRequestLimits({ limits, redis, onRefused, log, seconds = 60 }: Parts): RequestLimits {
  const { consume, close } = openCounter(redis, seconds)
  const warn = oncePerSecond(log)
  const inOrder = (['token', 'org'] as const)
    .map((name): Limit => ({ name, quota: limits[name], seconds }))
    .filter(({ quota }) => quota > 0)

  async function consumeAll({ endpoint, orgId, caller }: Counted, standings: Standing[]): Promise<void> {
    for (const limit of inOrder) {
      const used = await consume(keyOf(limit.name, orgId, caller))
      const secondsLeft = Math.max(1, Math.ceil(used.msBeforeNext / 1_000))
      standings.push({ limit, left: Math.max(0, limit.quota - used.consumedPoints), secondsLeft })
      if (used.consumedPoints <= limit.quota || !(429 in endpoint.errors)) continue
      onRefused(limit.name)
      throw refusal(limit, secondsLeft)
    }
  }

  const count: RequestLimits['count'] = async (request, res) => {
    const standings: Standing[] = []
    try {
      await consumeAll(request, standings)
    } catch (error) {
      if (error instanceof ApiError) throw error
      warn(error, 'a request to the API could not be counted under its limits; it was served')
    } finally {
      res.set(rateLimitHeaders(inOrder, standings))
    }
  }
  return { count, close }
}

type Counter = {
  /** Counts one request under the key; gives how many there were since the limit began. */
  consume(key: string): Promise<{ consumedPoints: number; msBeforeNext: number }>
  close(): void
}

function openCounter(redis: RedisAccess | undefined, duration: number): Counter {
  // `penalty` counts without a maximum: the limits are compared here, because the two of a request differ.
  if (!redis) {
    const limiter = new RateLimiterMemory({ points: 1, duration })
    return { consume: (key) => limiter.penalty(key), close: () => undefined }
  }
  const storeClient = producerClient(redis, COMMAND_MS)
  const limiter = new RateLimiterRedis({
    ...{ storeClient, points: 1, duration, keyPrefix: `${redis.prefix}-limit` },
  })
  return { consume: (key) => limiter.penalty(key), close: () => storeClient.disconnect() }
}

/**
 * A token is counted by its subject, which keeps its count when the token is renewed; a hash, because a subject may be
 * an email address.
 */
function keyOf(limit: Limit['name'], orgId: string, { partnerId, userId, actorId }: Caller): string {
  if (limit === 'org') return `${orgId}:requests`
  const subject = JSON.stringify([orgId, partnerId ?? null, userId, actorId ?? null])
  return `${orgId}:requests:${createHash('sha256').update(subject).digest('base64url')}`
}

function refusal({ name, quota, seconds }: Limit, retry_after_seconds: number): ApiError {
  const whose = name === 'org' ? 'This org' : 'This token'
  const words = `${whose} may send ${quota} requests in ${seconds} s. Try again in ${retry_after_seconds} s.`
  return new ApiError('RATE_LIMITED', words, { limit: name, retry_after_seconds })
}
