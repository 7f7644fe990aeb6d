import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import { migrate } from './migrate.ts'
import { isUnreachable } from './pg-errors.ts'

const RETRY_MS = 1_000

/**
 * Migrates as soon as the database answers; tries again every second until then, or until `signal` is aborted.
 * @throws the error of a migration that failed after the database had answered.
 */
export async function migrateWhenReachable(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await migrate(url, (line) => log.info(line))
    } catch (err) {
      if (!isUnreachable(err)) throw err
      log.warn({ err }, 'the database cannot be reached yet: trying again')
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}
