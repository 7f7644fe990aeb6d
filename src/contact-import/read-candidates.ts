import { setImmediate } from 'node:timers/promises'
import type { ParsedLine } from '../http/parse-line.ts'
import { MAX_ID_LENGTH } from '../input-fields.ts'
import { type Candidate, type Rejected, toCandidate } from './candidate.ts'
import type { ImportContact } from './schemas.ts'

/** Lines that are checked before others have a turn: a line takes 0.1 ms, and this process may have a receiver. */
const TURN = 25

/** What lines ask for, batch by batch, in their order. */
export async function* readCandidates<Raw>(
  batches: AsyncIterable<Raw[]>,
  parse: (raw: Raw) => ParsedLine<ImportContact>,
): AsyncGenerator<(Candidate | Rejected)[]> {
  for await (const batch of batches) {
    const lines: (Candidate | Rejected)[] = []
    for (const raw of batch) {
      lines.push(read(parse(raw)))
      if (lines.length % TURN === 0) await setImmediate()
    }
    yield lines
  }
}

function read(parsed: ParsedLine<ImportContact>): Candidate | Rejected {
  if ('value' in parsed) return toCandidate(parsed.number, parsed.value)
  const { number: line, given, error } = parsed
  return { line, crmId: crmIdOf(given), error }
}

function crmIdOf(given: unknown): string | undefined {
  const id = typeof given === 'object' && given !== null && 'crm_id' in given ? given.crm_id : undefined
  return typeof id === 'string' && id.length <= MAX_ID_LENGTH ? id : undefined
}
