import type { Db } from '../db/client.ts'
import { ERASURE_STAGES, type ErasedPerson } from '../db/schema/index.ts'
import { allRows, firstRow, nothing, type Statement } from '../db/statement.ts'

export type Stage = (typeof ERASURE_STAGES)[number]
/** Where a stage stands in its list; null: at its start. */
export type Place = (string | boolean)[] | null

export type ErasureKey = { orgId: string; id: string }

/** An erasure that is not finished, as its next step finds it. */
export type OpenErasure = ErasureKey & {
  customerId: string
  actor: string
  requestedAt: Date
  person: ErasedPerson
  stage: Stage
  place: Place
}

/** What a step of a stage came to. Without a `place` the stage is done. `waits`: it goes on when others have ended their work. */
export type Step = { place?: Place; waits?: boolean; messages?: number; person?: ErasedPerson }

/** A step of a stage, in the transaction that notes it. `digest` makes the tombstone of a wamid or a name. */
export type RunStage = (tx: Db, erasure: OpenErasure, digest: (value: string) => Buffer) => Promise<Step>

/**
 * Locks an erasure that is not finished; undefined if it is, or, unless `waits`, if another process works on it. All its
 * steps hold this lock, so there are never two at a time.
 */
export function lockErasure({ orgId, id }: ErasureKey, waits: boolean): Statement<OpenErasure | undefined> {
  return {
    name: waits ? 'lock-erasure' : 'lock-idle-erasure',
    text: `select org_id as "orgId", id, customer_id as "customerId", actor, requested_at as "requestedAt", person, stage,
        place
      from erasures where org_id = $1 and id = $2 and finished_at is null for update ${waits ? '' : 'skip locked'}`,
    values: [orgId, id],
    read: firstRow<OpenErasure>,
  }
}

/** Writes how far an erasure has come. Behind the last stage it is finished, and the row forgets who was erased. */
export function noteStep(erasure: OpenErasure, { place, messages = 0, person }: Step): Statement<void> {
  const { orgId, id, stage } = erasure
  const next = place ? stage : ERASURE_STAGES[ERASURE_STAGES.indexOf(stage) + 1]
  return {
    name: 'note-erasure',
    text: `update erasures set stage = coalesce($3, stage), place = $4::json, messages = messages + $5,
        person = case when $3::text is not null then coalesce($6::json, person) end,
        finished_at = case when $3 is null then now() end
      where org_id = $1 and id = $2`,
    values: [orgId, id, next, place && JSON.stringify(place), messages, person && JSON.stringify(person)],
    read: nothing,
  }
}

/** The erasures of all orgs that are not finished, the oldest first. */
export const LIST_OPEN_ERASURES: Statement<ErasureKey[]> = {
  name: 'list-open-erasures',
  text: `select org_id as "orgId", id from erasures where finished_at is null order by requested_at limit 100`,
  values: [],
  read: allRows<ErasureKey>,
}
