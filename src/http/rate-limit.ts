import {
  type RateLimiterAbstract,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible'
import type { Database } from '../db/client.ts'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { producerClient } from '../queue/redis.ts'

/**
 * Resolves when no earlier call with `key` was admitted within the last `seconds`, in any process. A key starts with the
 * org's id.
 * @throws ApiError RATE_LIMITED otherwise, with the seconds to wait
 */
export type LimitOnce = (key: string, seconds: number) => Promise<void>

export type RateLimits = { limitOnce: LimitOnce; close(): void }

type Parts = { db: Database['db']; redisUrls: string[]; log: Logger }

/**
 * Rate limits shared by all processes: counted in Redis where it is configured, else in the table `rate_limits`. While
 * that store is unavailable every request is admitted and a warning is logged, because a limit must not cause an outage.
 */
export function createRateLimits({ db, redisUrls, log }: Parts): RateLimits {
  const { limiter, close } = redisUrls.length > 0 ? onRedis(redisUrls) : onPostgres(db)
  const limitOnce: LimitOnce = async (key, seconds) => {
    try {
      await limiter.consume(key, 1, { customDuration: seconds })
    } catch (cause) {
      if (cause instanceof RateLimiterRes) {
        const retry_after_seconds = Math.max(1, Math.ceil(cause.msBeforeNext / 1000))
        throw new ApiError('RATE_LIMITED', `Try again in ${retry_after_seconds} s.`, { retry_after_seconds })
      }
      log.warn({ err: cause }, 'a rate limit could not be checked; the request was admitted')
    }
  }
  return { limitOnce, close }
}

/** The library requires a duration, but every call passes its own. */
const ONE = { points: 1, duration: 1 }

type Store = { limiter: RateLimiterAbstract; close(): void }

function onRedis(urls: string[]): Store {
  const client = producerClient(urls)
  const limiter = new RateLimiterRedis({ storeClient: client, ...ONE, keyPrefix: 'usher-limit' })
  return { limiter, close: () => client.disconnect() }
}

function onPostgres(db: Database['db']): Store {
  const table = { tableName: 'rate_limits', tableCreated: true, keyPrefix: '' }
  const limiter = new RateLimiterPostgres({ storeClient: db.$client, storeType: 'pool', ...ONE, ...table })
  return { limiter, close: () => undefined }
}
