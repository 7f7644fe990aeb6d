import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { RedisAccess } from '../config.ts'
import type { Database } from '../db/client.ts'
import { run } from '../db/statement.ts'
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

/** A limit must not hold a request up for longer. */
const COMMAND_MS = 500

type Parts = { db: Database['db']; redis: RedisAccess | undefined; log: Logger }

/**
 * Rate limits shared by all processes: counted in Redis where it is configured, else in the table `rate_limits`, by the
 * clock of that store. While the store is unavailable every request is admitted and a warning is logged, because a limit
 * must not cause an outage.
 */
export function createRateLimits({ db, redis, log }: Parts): RateLimits {
  const { msUntilFree, close } = redis ? onRedis(redis) : onPostgres(db)
  const limitOnce: LimitOnce = async (key, seconds) => {
    const ms = await msUntilFree(key, seconds).catch((err) => {
      log.warn({ err }, 'a rate limit could not be checked; the request was admitted')
      return 0
    })
    if (ms <= 0) return
    const retry_after_seconds = Math.max(1, Math.ceil(ms / 1000))
    throw new ApiError('RATE_LIMITED', `Try again in ${retry_after_seconds} s.`, { retry_after_seconds })
  }
  return { limitOnce, close }
}

/** `msUntilFree`: 0 when the request is admitted, which takes the key; else how long the key is still taken, above 0. */
type Store = { msUntilFree(key: string, seconds: number): Promise<number>; close(): void }

function onRedis(redis: RedisAccess): Store {
  const client = producerClient(redis, COMMAND_MS)
  // The library requires a duration, but every call passes its own.
  const limiter = new RateLimiterRedis({
    storeClient: client,
    points: 1,
    duration: 1,
    keyPrefix: `${redis.prefix}-limit`,
  })
  return {
    close: () => client.disconnect(),
    msUntilFree: async (key, seconds) => {
      try {
        await limiter.consume(key, 1, { customDuration: seconds })
        return 0
      } catch (refusal) {
        if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext)
        throw refusal
      }
    },
  }
}

const TIME = 'extract(epoch from clock_timestamp()) * 1000'

/** A limit counts by the database's clock: by that of a process, one that is ahead would end the limits of all others. */
function onPostgres(db: Database['db']): Store {
  return {
    close: () => undefined,
    msUntilFree: (key, seconds) =>
      run(db, {
        name: 'limit-once',
        text: `with taken as (
            insert into rate_limits as r (key, points, expire) values ($1, 1, ${TIME} + $2::int * 1000)
            on conflict (key) do update set points = 1, expire = excluded.expire where r.expire <= ${TIME}
            returning 1)
          select case when exists (select from taken) then 0
            else greatest(1, (select expire from rate_limits where key = $1) - ${TIME})::float8 end as ms`,
        values: [key, seconds],
        read: ([row]: { ms: number }[]) => row?.ms ?? 0,
      }),
  }
}
