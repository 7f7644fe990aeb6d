import { type RedisAccess, SetupError } from '../config.ts'
import { describeRedis } from '../queue/describe-redis.ts'
import { type Check, codeOf, fail, fine, warn } from './check.ts'

const DEADLINE_MS = 3_000
/** BullMQ's scripts need Redis 6.2 (docs.bullmq.io, "Redis compatibility"). */
const OLDEST = [6, 2] as const

/** Judges the Redis of the queues: version and `maxmemory-policy`. Without a Redis, the queues are on PostgreSQL. */
export async function checkRedis(redis: RedisAccess | undefined): Promise<Check[]> {
  if (redis === undefined) return [fine('Redis', 'not used: the queues are on PostgreSQL')]
  try {
    const { version, policy } = await describeRedis(redis, DEADLINE_MS)
    return [checkVersion(version), checkPolicy(policy)]
  } catch (error) {
    if (error instanceof SetupError) return [fail('Redis', 'does not let Usher in', error.message)]
    return [fail('Redis', `does not answer: ${codeOf(error)}`, 'correct REDIS_URL, or start Redis')]
  }
}

function checkVersion(version: string | undefined): Check {
  if (version === undefined)
    return warn(
      'Redis',
      'answers; its version cannot be read',
      'let the user run INFO, or look at the server',
    )
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNew = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  return isNew ? fine('Redis', version) : fail('Redis', version, 'use Redis 6.2 or newer')
}

function checkPolicy(policy: string | undefined): Check {
  const remedy = 'set maxmemory-policy noeviction; otherwise a full Redis drops jobs'
  if (policy === undefined) return warn('maxmemory-policy', 'cannot be read', remedy)
  return policy === 'noeviction' ? fine('maxmemory-policy', policy) : fail('maxmemory-policy', policy, remedy)
}
