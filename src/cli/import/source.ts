import type { ImportContact } from '../../contact-import/schemas.ts'
import type { ParsedLine } from '../../http/parse-line.ts'

/** A line of a file of contacts. */
export type SourceLine = {
  number: number
  parse: () => ParsedLine<ImportContact>
  /** The line as the file of rejects has it: in the same format, with the reason beside its fields. */
  toReject: (reason: string) => string
}

/** A file of contacts, in one of its formats. */
export type ImportSource = {
  batches: AsyncIterable<SourceLine[]>
  /** The first line of the file of rejects; empty where the format needs none. */
  rejectsHead: () => string
  bytesRead: () => number
}

/** Lines in a transaction. */
export const BATCH = 500

/** The field, or column, that a file of rejects has beside those of a contact. It is ignored where such a file is imported. */
export const REASON = 'reject_reason'
