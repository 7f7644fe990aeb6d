import { Redis } from 'ioredis'
import { type RunningRedis, startRedis } from '../../redis.ts'
import { lastingPort } from './ports.ts'

/** A redis-server of its own, to be killed, frozen, emptied and filled. */
export type FaultyRedis = {
  url: string
  kill(): Promise<void>
  /** Starts it again after `kill`, empty, on the same port. */
  restart(): Promise<void>
  freeze(): void
  thaw(): void
  flush(): Promise<void>
  /** Caps its memory a little above what it uses now, so that it soon refuses writes; 0 takes the cap away. */
  limitMemory(bytesAbove: number): Promise<void>
  stop(): Promise<void>
}

/** Starts an empty Redis that keeps nothing on disk. */
export async function startFaultyRedis(): Promise<FaultyRedis> {
  const port = await lastingPort()
  let redis: RunningRedis | undefined = await startRedis(port)
  const { url } = redis
  const kill = async () => {
    await redis?.stop()
    redis = undefined
  }
  const signal = (name: NodeJS.Signals) => redis && process.kill(redis.pid, name)
  const ask = async (...command: [string, ...string[]]) => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.call(...command)
    } finally {
      client.disconnect()
    }
  }
  return {
    url,
    kill,
    restart: async () => {
      redis ??= await startRedis(port)
    },
    freeze: () => void signal('SIGSTOP'),
    thaw: () => void signal('SIGCONT'),
    flush: async () => void (await ask('FLUSHALL')),
    async limitMemory(bytesAbove) {
      const used = Number(/used_memory:(\d+)/.exec(String(await ask('INFO', 'memory')))?.[1])
      await ask('CONFIG', 'SET', 'maxmemory', String(bytesAbove === 0 ? 0 : used + bytesAbove))
    },
    stop: kill,
  }
}
