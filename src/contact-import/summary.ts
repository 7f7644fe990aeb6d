import type { Outcome } from './outcome.ts'
import type { ImportSummary } from './schemas.ts'

/** The summary of no lines. */
export function emptySummary(): ImportSummary {
  return { lines: 0, created: 0, exists: 0, rejected: 0 }
}

/** Counts the outcomes of a batch in. */
export function addTo(summary: ImportSummary, outcomes: Outcome[]): void {
  summary.lines += outcomes.length
  for (const { status } of outcomes) summary[status] += 1
}
