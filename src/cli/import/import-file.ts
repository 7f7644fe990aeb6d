import type { Candidate, Rejected } from '../../contact-import/candidate.ts'
import { type Importer, importContacts } from '../../contact-import/import-contacts.ts'
import type { Outcome } from '../../contact-import/outcome.ts'
import { readCandidates } from '../../contact-import/read-candidates.ts'
import type { ImportSummary } from '../../contact-import/schemas.ts'
import { addTo, emptySummary } from '../../contact-import/summary.ts'
import type { Db } from '../../db/client.ts'
import type { Progress } from './progress.ts'
import type { RejectsFile } from './rejects.ts'
import type { ImportSource, SourceLine } from './source.ts'

type Parts = Importer & { source: ImportSource; rejects: RejectsFile; progress: Progress }

/** Imports a file as the endpoint imports a body, and writes the lines that are rejected to a file of their own. */
export async function importFile(db: Db, parts: Parts): Promise<ImportSummary> {
  const { source, rejects, progress, ...importer } = parts
  const unanswered = new Map<number, SourceLine>()
  const summary = emptySummary()
  for await (const outcomes of importContacts(db, readAll(source, unanswered), importer)) {
    addTo(summary, outcomes)
    for (const outcome of outcomes) {
      const number = lineOf(outcome)
      const line = unanswered.get(number)
      unanswered.delete(number)
      if (outcome.status !== 'rejected' || !line) continue
      const { error_code, error_message, error_description } = outcome.error.body
      const reason = `${error_code} ${error_message}: ${error_description}`
      await rejects.write(line.toReject(reason), source.rejectsHead())
    }
    progress.show(source.bytesRead(), summary.lines)
  }
  return summary
}

/** Reads what the lines ask for, and keeps each line until its outcome is known. */
function readAll(
  { batches }: ImportSource,
  unanswered: Map<number, SourceLine>,
): AsyncIterable<(Candidate | Rejected)[]> {
  return readCandidates(batches, (line) => {
    unanswered.set(line.number, line)
    return line.parse()
  })
}

function lineOf(outcome: Outcome): number {
  return outcome.status === 'rejected' ? outcome.line : outcome.candidate.line
}
