import type { Db } from '../db/client.ts'
import { inRetriedTransaction } from '../db/retried-transaction.ts'
import type { Candidate } from './candidate.ts'
import { type ImportOf, importRound } from './import-round.ts'
import type { Outcome } from './outcome.ts'

/**
 * Imports the contacts of some lines, with a fixed number of statements in one transaction, and gives the outcomes in their
 * order. A line whose `crm_id` an earlier line has takes its turn in a transaction of its own, and finds the contact of
 * that line, or creates it, if that line was refused.
 */
export async function importBatch(db: Db, candidates: Candidate[], of: ImportOf): Promise<Outcome[]> {
  const outcomes = new Map<Candidate, Outcome>()
  for (let rest = candidates; rest.length > 0; ) {
    const round = firstOfEach(rest)
    const done = await inRetriedTransaction(db, (tx) => importRound(tx, round, of))
    for (const [candidate, outcome] of done) outcomes.set(candidate, outcome)
    rest = rest.filter((candidate) => !outcomes.has(candidate))
  }
  return candidates.flatMap((candidate) => outcomes.get(candidate) ?? [])
}

function firstOfEach(candidates: Candidate[]): Candidate[] {
  const first = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { crm_id } = candidate.contact
    if (!first.has(crm_id)) first.set(crm_id, candidate)
  }
  return [...first.values()]
}
