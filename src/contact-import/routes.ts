import { defineStream } from '../http/endpoint-stream.ts'
import { parseLine } from '../http/parse-line.ts'
import { readLines } from '../http/read-lines.ts'
import { foreignId } from '../input-fields.ts'
import { importContacts } from './import-contacts.ts'
import { toResult } from './outcome.ts'
import { readCandidates } from './read-candidates.ts'
import { ImportAnswerDto, ImportContactDto } from './schemas.ts'
import { addTo, emptySummary } from './summary.ts'

/** Lines in a transaction. */
const BATCH = 500

const importAll = defineStream({
  method: 'post',
  path: '/v1/org/{orgId}/contacts:import',
  operationId: 'importContacts',
  summary: 'Import contacts',
  description:
    'A line of JSON for each contact (NDJSON), and a line of the answer for each line, in their order and while the request is being sent\n- A contact whose `crm_id` exists is left as it is, so an import that was cut off can be sent again\n- The last line is a `summary`; an answer without it was cut off',
  tags: ['contact-controller'],
  policy: { role: 'ADMIN', impersonated: false, partner: true },
  params: { orgId: foreignId },
  line: ImportContactDto,
  example: {
    body: { crm_id: 'lead-1', phone_number: '+919810000001', opt_in_date: '2026-01-31T09:30:00Z' },
  },
  response: { description: 'A line for each line, then the summary', line: ImportAnswerDto },
  errors: {
    401: 'Unauthorized - Authentication is required',
    403: 'User or Partner is not allowed to create a contact',
    422: 'The query is not empty',
    429: 'Too many requests of this org or this token',
    500: 'Internal Exception',
    503: 'The clock of this server is wrong',
  },
  work: async function* ({ db, actor, input, reopen }) {
    const lines = readCandidates(readLines(input, BATCH), (line) => parseLine(ImportContactDto, line))
    const summary = emptySummary()
    for await (const outcomes of importContacts(db, lines, { actor, open: reopen })) {
      addTo(summary, outcomes)
      yield outcomes.map(toResult)
    }
    yield [{ summary }]
  },
})

/** Importing many contacts. */
export const contactImportEndpoints = [importAll]
