import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import { run } from '../db/statement.ts'
import { digestKey, digestOf } from '../erased/digest.ts'
import { DROP_TOMBSTONES } from '../erased/tombstones.ts'
import { eraseAccountEvents, eraseAnswers, eraseDeliveries } from './erase-bodies.ts'
import { eraseAudit, eraseEvents } from './erase-history.ts'
import { eraseMessages, eraseSends } from './erase-messages.ts'
import { erasePeople } from './erase-people.ts'
import {
  type ErasureKey,
  LIST_OPEN_ERASURES,
  lockErasure,
  noteStep,
  type RunStage,
  type Stage,
} from './erasure-row.ts'

const STAGES: Record<Stage, RunStage> = {
  people: erasePeople,
  messages: eraseMessages,
  audit: eraseAudit,
  events: eraseEvents,
  answers: eraseAnswers,
  account_events: eraseAccountEvents,
  deliveries: eraseDeliveries,
  sends: eraseSends,
}

/** Between the steps, so that others come to the database too. */
const PAUSE_MS = 5

/**
 * Erases a person until neither the name nor a message is left, whatever their number: nothing of the person can be found by
 * the API then. The rest is left to `goOnWithErasures`.
 */
export async function eraseWhatIsShown(db: Db, key: ErasureKey, secretsKey: Buffer): Promise<void> {
  for (let stage: Stage | undefined = 'people'; stage === 'people' || stage === 'messages'; ) {
    const next: Done | undefined = await runStep(db, key, secretsKey, true)
    stage = next?.stage
  }
}

/**
 * Works on all erasures that are not finished and that no other process works on. One that waits for a delivery or a
 * message that is under way is left to the next run. Also deletes old tombstones.
 * @returns the number of steps
 * @throws the error of the first erasure that failed, when all others have been worked on
 */
export async function goOnWithErasures(db: Db, secretsKey: Buffer | undefined): Promise<number> {
  let steps = await run(db, DROP_TOMBSTONES)
  if (!secretsKey) return steps
  const failures: unknown[] = []
  for (const key of await run(db, LIST_OPEN_ERASURES)) {
    try {
      steps += await goOn(db, key, secretsKey)
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
  return steps
}

async function goOn(db: Db, key: ErasureKey, secretsKey: Buffer): Promise<number> {
  for (let steps = 0; ; steps += 1) {
    const done = await runStep(db, key, secretsKey, false)
    if (!done || done.waits) return steps
    await sleep(PAUSE_MS)
  }
}

type Done = { stage: Stage; waits: boolean }

/**
 * A step of an erasure and the note of it, in one transaction: a process that is killed repeats one step.
 * @returns the stage in which the step was; undefined if there was nothing to do
 */
function runStep(db: Db, key: ErasureKey, secretsKey: Buffer, waits: boolean): Promise<Done | undefined> {
  const hmac = digestKey(secretsKey)
  return inRetriedTransaction(db, async (tx) => {
    const erasure = await run(tx, lockErasure(key, waits))
    if (!erasure) return undefined
    const step = await STAGES[erasure.stage](tx, erasure, (value) => digestOf(hmac, key.orgId, value))
    await run(tx, noteStep(erasure, step))
    return { stage: erasure.stage, waits: step.waits === true }
  })
}
