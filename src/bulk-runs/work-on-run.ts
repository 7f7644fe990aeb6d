import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import type { Logger } from '../logger.ts'
import { replayStep } from './replay-step.ts'
import { retryStep } from './retry-step.ts'
import type { RunKey } from './start-run.ts'

type Parts = {
  db: Db
  /** Enqueues jobs for deliveries; false when the queue may not have them. Has a deadline and never rejects. */
  enqueue: (ids: number[]) => Promise<boolean>
  /** Has aborted when the process ends. */
  ending: AbortSignal
  log: Logger
}

/** Between the batches of a replay, which waits for the workers too, and of a retry: at most 20 messages a second. */
const PAUSE_MS = { replay: 100, retry: 1_000 }
/** So many failures in a row end the work: the run then stands still, until a person lets it go on. */
const MAX_FAILURES = 10

/**
 * Works on a run, batch by batch, until it is finished, was ended or taken over, or the process ends. Never rejects: a step
 * that fails is tried again after a pause.
 */
export async function workOnRun(parts: Parts, key: RunKey, kind: 'replay' | 'retry'): Promise<void> {
  const { ending, log } = parts
  let failures = 0
  while (!ending.aborted && failures < MAX_FAILURES) {
    try {
      const goesOn = kind === 'replay' ? await replay(parts, key) : await retryStep(parts.db, key)
      if (!goesOn) return
      failures = 0
    } catch (err) {
      failures += 1
      log.warn({ err, run: key.id, failures }, 'a step of a run over many rows failed')
    }
    await sleep(failures > 0 ? PAUSE_MS.retry : PAUSE_MS[kind], undefined, {
      signal: ending,
      ref: false,
    }).catch(() => undefined)
  }
}

async function replay({ db, enqueue }: Parts, key: RunKey): Promise<boolean> {
  const { ids, goesOn } = await replayStep(db, key)
  if (ids.length > 0) await enqueue(ids)
  return goesOn
}
