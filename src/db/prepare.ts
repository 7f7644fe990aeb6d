import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import { migrate } from './migrate.ts'
import { isUnreachable } from './pg-errors.ts'

const RETRY_MS = 1_000

/**
 * Migrates as soon as the database answers, trying again every second until then or until `signal` aborts.
 * @throws whatever makes the migration itself fail.
 */
export async function migrateWhenReachable(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await migrate(url)
    } catch (err) {
      if (!isUnreachable(err)) throw err
      log.warn({ err }, 'the database does not answer yet, trying again')
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
}
