import { z } from 'zod'
import { ApiError } from '../errors.ts'
import type { Answer, Success } from './endpoint.ts'

type Issue = { path: string; message: string }
type Parts = { params: unknown; query: unknown; body: unknown }

const MAX_DEPTH = 32
const MAX_ISSUES = 20
const MAX_PATH_LENGTH = 200

/**
 * Makes the parser of an endpoint's input: strict (unknown fields are faults), and of every text it refuses
 * U+0000, which PostgreSQL cannot store.
 */
export function parseInput(schemas: {
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
    const fault = unreadable(given)
    if (fault) throw invalidInput([fault], schemas.documents422)
    const parsed = schema.safeParse(given, { reportInput: true })
    if (parsed.success) return parsed.data as Parts
    throw invalidInput(parsed.error.issues.flatMap(toIssues), schemas.documents422)
  }
}

/** The error for bad input: names fields and faults, never the values (DESIGN section 5: documented statuses only). */
export function invalidInput(issues: Issue[], documents422: boolean): ApiError {
  const shown = issues.slice(0, MAX_ISSUES)
  const description = shown.map((i) => (i.path ? `${i.path}: ${i.message}` : i.message)).join('; ')
  return new ApiError(documents422 ? 'INVALID_INPUT' : 'BAD_REQUEST', description, { issues: shown })
}

/**
 * The answer as its schema reads it.
 * @throws Error naming fields and faults when it does not fit: our bug, never the caller's.
 */
export function checkAnswer(
  responses: Record<number, Success>,
  answer: { status: PropertyKey; body?: unknown },
): Answer {
  const status = Number(answer.status)
  const schema = responses[status]?.schema
  if (!schema) return { status, body: undefined }
  const parsed = z.object({ body: schema }).safeParse({ body: answer.body })
  if (parsed.success) return { status, body: parsed.data.body }
  const faults = parsed.error.issues.flatMap(toIssues).map((i) => `${i.path}: ${i.message}`)
  throw new Error(`the answer ${status} does not fit its schema: ${faults.join('; ')}`)
}

function toIssues(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: fieldName([...issue.path, key]),
      message: 'is not a known field',
    }))
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined
  return [{ path: fieldName(issue.path), message: missing ? 'is required' : issue.message }]
}

/** Level by level instead of recursively: the depth is the caller's to choose. */
function unreadable(parts: Parts): Issue | undefined {
  let level: [path: PropertyKey[], value: unknown][] = [[[], parts]]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return { path: '', message: `more than ${MAX_DEPTH} levels of nesting` }
    const nul = level.find(([path, value]) => holdsNul(path.at(-1)) || holdsNul(value))
    if (nul) return { path: fieldName(nul[0]), message: 'the character U+0000 is not accepted' }
    level = level.flatMap(([path, value]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).map(([key, inner]) => [[...path, key], inner] as [PropertyKey[], unknown])
        : [],
    )
  }
  return undefined
}

function holdsNul(text: unknown): boolean {
  return typeof text === 'string' && text.includes('\0')
}

/** Fields of the body, the query and the path go by their names alone; the body as a whole by `body`. */
function fieldName([part, ...path]: PropertyKey[]): string {
  const name = path.length === 0 ? part : path.map(String).join('.')
  return String(name).replaceAll('\0', '').slice(0, MAX_PATH_LENGTH)
}
