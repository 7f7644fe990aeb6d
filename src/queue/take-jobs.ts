import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from './connection.ts'

/** Pause after a worker could not take a job. */
export const RETRY_MS = 500

/** What BullMQ's backends answer when there is no job: no data, no id, no rate limit, nothing delayed. */
const NO_JOB = [null, null, 0, 0]

/**
 * A backend whose workers pause for half a second after each failure to take a job, and take none while paused. BullMQ
 * itself waits 15 s after a refused connection and not at all after any other failure: 6,000 connections a second
 * against a PostgreSQL that was starting. And a BullMQ worker that is paused while it waits for a job still takes it.
 */
export function takeWithPauses(create: Engine['backend'], isPaused: () => boolean): Engine['backend'] {
  return (...args) => {
    const backend = create(...args)
    const take = backend.moveToActive.bind(backend)
    backend.moveToActive = async (...job) => {
      if (isPaused()) return NO_JOB
      try {
        return await take(...job)
      } catch (error) {
        await sleep(RETRY_MS)
        throw error
      }
    }
    return backend
  }
}
