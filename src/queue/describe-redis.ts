import type { RedisAccess } from '../config.ts'
import { connectBriefly } from './redis.ts'

/** Version and eviction policy; undefined where the user may not read them. */
export type RedisFacts = { version: string | undefined; policy: string | undefined }

/**
 * Asks Redis for its version and `maxmemory_policy`, over a connection of its own.
 * @throws what Redis or the network says when it cannot be reached at all.
 */
export function describeRedis(access: RedisAccess, timeoutMs: number): Promise<RedisFacts> {
  return connectBriefly(access, timeoutMs, async (client) => {
    await client.ping()
    const info = await client.info().catch(() => '')
    const read = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
    return { version: read('redis_version'), policy: read('maxmemory_policy') }
  })
}
