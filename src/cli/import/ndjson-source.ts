import { createReadStream } from 'node:fs'
import { z } from 'zod'
import { ImportContactDto } from '../../contact-import/schemas.ts'
import { parseLine } from '../../http/parse-line.ts'
import { type RawLine, readLines } from '../../http/read-lines.ts'
import { BATCH, type ImportSource, REASON, type SourceLine } from './source.ts'

const LINE = ImportContactDto.extend({ [REASON]: z.string().optional() }).transform(
  ({ [REASON]: _, ...contact }) => contact,
)

/** A file with a line of JSON for each contact, as the endpoint takes them. */
export function ndjsonSource(path: string): ImportSource {
  const input = createReadStream(path)
  return { batches: readFile(input), rejectsHead: () => '', bytesRead: () => input.bytesRead }
}

async function* readFile(input: AsyncIterable<Buffer>): AsyncGenerator<SourceLine[]> {
  for await (const lines of readLines(input, BATCH)) {
    yield lines.map((line) => ({
      number: line.number,
      parse: () => parseLine(LINE, line),
      toReject: (reason) => `${JSON.stringify({ ...fieldsOf(line), [REASON]: reason })}\n`,
    }))
  }
}

/** What is no object of JSON is kept as it is, so that it can be corrected. */
function fieldsOf({ bytes }: RawLine): object {
  const text = bytes?.toString() ?? ''
  try {
    const given: unknown = JSON.parse(text)
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given
  } catch {
    // It is no JSON at all.
  }
  return { line: text }
}
