import { bigintArray } from '../db/arrays.ts'
import { type Db, together } from '../db/client.ts'
import { cleanText } from '../webhook/fields.ts'

/** How a delivery ended: routed (its row goes), parked (waits for a number or WABA) or dead (kept, with why). */
export type Outcome =
  | { id: number; end: 'routed' }
  | { id: number; end: 'parked'; waitsFor: string }
  | { id: number; end: 'dead'; problems: string[] }

const MAX_ERROR_LENGTH = 2_000

/**
 * Writes the ends of a batch, in the transaction that routed it: at most one statement for each kind of end, all in one
 * round trip.
 */
export async function settleDeliveries(tx: Db, outcomes: Outcome[]): Promise<void> {
  const routed = outcomes.filter((o) => o.end === 'routed')
  const parked = outcomes.filter((o) => o.end === 'parked')
  const dead = outcomes.filter((o) => o.end === 'dead')
  await together([
    routed.length > 0 &&
      tx.$client.query({
        name: 'delete-routed',
        text: 'delete from inbox where id = any($1::bigint[])',
        values: [bigintArray(routed.map((o) => o.id))],
      }),
    parked.length > 0 &&
      tx.$client.query({
        name: 'park-deliveries',
        text: `update inbox i set state = 'parked', parked_for = p.waits_for
          from unnest($1::bigint[], $2::text[]) as p(id, waits_for) where i.id = p.id`,
        values: [parked.map((o) => o.id), parked.map((o) => o.waitsFor)],
      }),
    dead.length > 0 &&
      tx.$client.query({
        name: 'bury-deliveries',
        text: `update inbox i set state = 'dead', parked_for = null, error = d.error
          from unnest($1::bigint[], $2::text[]) as d(id, error) where i.id = d.id`,
        values: [dead.map((o) => o.id), dead.map((o) => errorText(o.problems))],
      }),
  ])
}

function errorText(problems: string[]): string {
  return cleanText(problems.join('; ')).slice(0, MAX_ERROR_LENGTH)
}
