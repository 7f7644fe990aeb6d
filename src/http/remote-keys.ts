import { createRemoteJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { ApiError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { oncePerSecond } from '../once-per-second.ts'

/** Keys are read again after this time, so that a key that was withdrawn ends. */
const FRESH_MS = 10 * 60_000
/** Between two reads. A new key is accepted after this time at the latest, and tokens cannot cause more reads. */
const COOL_DOWN_MS = 3_000

/**
 * The keys of a JWKS, read when the first token comes, when a token names an unknown key, and every 10 minutes. While the
 * JWKS cannot be read, the keys that are known go on working, and a token with any other key is answered with
 * KEYS_UNAVAILABLE. However many tokens come, the JWKS is read once in 3 s at most.
 */
export function createRemoteKeys(url: string, log: Logger): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), {
    // When to read is decided here: jose refuses known keys while it cannot read the JWKS again.
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: Number.POSITIVE_INFINITY,
    timeoutDuration: COOL_DOWN_MS,
  })
  const reads = createReads(keys.reload, log)

  return async (header, token) => {
    if (!keys.jwks()) await reads.readAfter(COOL_DOWN_MS)
    else void reads.readAfter(FRESH_MS)
    if (!keys.jwks()) throw new ApiError('KEYS_UNAVAILABLE')
    try {
      return await keys(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await reads.readAfter(COOL_DOWN_MS)
      if (reads.haveFailed()) throw new ApiError('KEYS_UNAVAILABLE')
      return keys(header, token)
    }
  }
}

type Reads = {
  /** Reads if the last read is older than this, or waits for the one that runs. Never rejects. */
  readAfter(ms: number): Promise<void>
  /** Whether the last read failed. */
  haveFailed(): boolean
}

function createReads(reload: () => Promise<void>, log: Logger): Reads {
  const warn = oncePerSecond(log)
  let readAt = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined
  let failed = false

  const read = async () => {
    readAt = performance.now()
    try {
      await reload()
      failed = false
    } catch (error) {
      failed = true
      warn(error, 'the JWKS could not be read; known keys go on working')
    }
    running = undefined
  }
  return {
    async readAfter(ms) {
      if (running === undefined && performance.now() - readAt > ms) running = read()
      await running
    },
    haveFailed: () => failed,
  }
}
