import { z } from 'zod'
import { toIssues } from './input-issues.ts'

/** What an endpoint answers: an HTTP status and a JSON body; `undefined` is an empty body, or one of `pages`. */
export type Answer = { status: number; body: unknown; pages?: Pages }

/** The lines of an NDJSON body, read page by page while the client takes them; a page shows what is durable. */
export type Pages = AsyncIterable<object[]>

/** A documented success. Without a schema the answer has no body; `line` is the schema of each line of `Pages`. */
export type Success = { description: string; schema?: z.ZodType; line?: z.ZodType }

/**
 * Parses an answer with the schema that its status documents, and returns it as the schema outputs it.
 * @throws Error naming fields and faults when the answer does not fit: a bug of the handler, never of the caller.
 */
export function checkAnswer(
  responses: Record<number, Success>,
  answer: { status: PropertyKey; body?: unknown; pages?: Pages },
): Answer {
  const status = Number(answer.status)
  if (answer.pages) return { status, body: undefined, pages: answer.pages }
  const schema = responses[status]?.schema
  if (!schema) return { status, body: undefined }
  const parsed = z.object({ body: schema }).safeParse({ body: answer.body })
  if (parsed.success) return { status, body: parsed.data.body }
  const faults = parsed.error.issues.flatMap(toIssues).map((i) => `${i.path}: ${i.message}`)
  throw new Error(`the answer ${status} does not fit its schema: ${faults.join('; ')}`)
}
