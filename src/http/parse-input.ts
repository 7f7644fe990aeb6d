import { z } from 'zod'
import { ApiError } from '../errors.ts'
import { findUnprocessable, type Issue, toIssues } from './input-issues.ts'

type Parts = { params: unknown; query: unknown; body: unknown }

const MAX_ISSUES = 20

/**
 * Creates the parser of an endpoint's input. Unknown fields are refused, and so is U+0000 in any text.
 * The parser throws the error of `invalidInput`.
 */
export function createInputParser(schemas: {
  params: Record<string, z.ZodType>
  query: z.ZodObject | undefined
  body: z.ZodType | undefined
  bodyRequired: boolean
  documents422: boolean
}): (parts: Parts) => Parts {
  const schema = z.object({
    params: z.object(schemas.params),
    query: schemas.query?.strict() ?? z.strictObject({}),
    body: schemas.body ?? z.undefined(),
  })
  return ({ params, query, body }) => {
    const absent = schemas.bodyRequired ? undefined : {}
    const given = { params, query, body: schemas.body && (body === undefined ? absent : body) }
    const unprocessable = findUnprocessable(given)
    if (unprocessable) throw invalidInput([unprocessable], schemas.documents422)
    const parsed = schema.safeParse(given, { reportInput: true })
    if (parsed.success) return parsed.data as Parts
    throw invalidInput(parsed.error.issues.flatMap(toIssues), schemas.documents422)
  }
}

/**
 * The error for invalid input: 422 INVALID_INPUT where the endpoint documents 422, else 400 BAD_REQUEST. It names at
 * most 20 fields with their faults and never a value, because values may be message text or phone numbers.
 */
export function invalidInput(issues: Issue[], documents422: boolean): ApiError {
  const shown = issues.slice(0, MAX_ISSUES)
  const description = shown.map((i) => (i.path ? `${i.path}: ${i.message}` : i.message)).join('; ')
  return new ApiError(documents422 ? 'INVALID_INPUT' : 'BAD_REQUEST', description, { issues: shown })
}
