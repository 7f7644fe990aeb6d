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
import type { LimitOnce } from './endpoint.ts'

export type RateLimits = { limitOnce: LimitOnce; close(): void }

type Parts = { db: Database['db']; redisUrls: string[]; log: Logger }

/**
 * Limits that hold across processes: counted in Redis when there is one, else in the table `rate_limits`. While
 * the store is away everything is let through and logged: a limit protects, it must not be what fails.
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
      log.warn({ err: cause }, 'a rate limit could not be checked, the request passes')
    }
  }
  return { limitOnce, close }
}

/** Each call says for how long, so the duration here is never used. */
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
