import { bigint, columns, text } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { cleanText } from '../webhook/fields.ts'

/** How a delivery ends: routed (its row goes), parked (waits for a number or WABA) or dead (kept, with the reason). */
export type Outcome = Routed | Parked | Dead
type Routed = { id: number; end: 'routed' }
type Parked = { id: number; end: 'parked'; waitsFor: string }
type Dead = { id: number; end: 'dead'; problems: string[] }

const MAX_ERROR_LENGTH = 2_000

/** Writes the ends of a batch, in the transaction that routed it: one statement for each kind of end. */
export function endDeliveries(outcomes: Outcome[]): Statement<void>[] {
  return [
    deleteRouted(outcomes.filter((outcome) => outcome.end === 'routed')),
    parkDeliveries(outcomes.filter((outcome) => outcome.end === 'parked')),
    buryDeliveries(outcomes.filter((outcome) => outcome.end === 'dead')),
  ]
}

const ROUTED = columns<Routed>({ id: bigint((o) => o.id) })

function deleteRouted(outcomes: Routed[]): Statement<void> {
  return over(ROUTED, outcomes, {
    name: 'delete-routed',
    text: 'delete from inbox where id = any($1::bigint[])',
    read: nothing,
  })
}

const PARKED = columns<Parked>({ id: bigint((o) => o.id), waits_for: text((o) => o.waitsFor) })

function parkDeliveries(outcomes: Parked[]): Statement<void> {
  return over(PARKED, outcomes, {
    name: 'park-deliveries',
    text: `update inbox i set state = 'parked', parked_for = p.waits_for from ${PARKED.as('p')} where i.id = p.id`,
    read: nothing,
  })
}

const DEAD = columns<Dead>({ id: bigint((o) => o.id), error: text((o) => errorText(o.problems)) })

function buryDeliveries(outcomes: Dead[]): Statement<void> {
  return over(DEAD, outcomes, {
    name: 'bury-deliveries',
    text: `update inbox i set state = 'dead', parked_for = null, error = d.error from ${DEAD.as('d')} where i.id = d.id`,
    read: nothing,
  })
}

function errorText(problems: string[]): string {
  return cleanText(problems.join('; ')).slice(0, MAX_ERROR_LENGTH)
}
