import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import type { ApiError } from '../errors.ts'
import { findUnprocessable, toIssues } from './input-issues.ts'
import { invalidInput } from './parse-input.ts'
import { MAX_LINE_BYTES, type RawLine } from './read-lines.ts'

/** A line as a schema outputs it, or why it does not fit; `given` is what JSON made of it, if it is JSON. */
export type ParsedLine<T> = { number: number; value: T } | { number: number; error: ApiError; given: unknown }

/** Parses a line of JSON. The error is INVALID_INPUT; as that of a request, it names fields and faults, and no value. */
export function parseLine<T>(schema: z.ZodType<T>, { number, bytes }: RawLine): ParsedLine<T> {
  const refuse = (message: string) => ({
    number,
    given: undefined,
    error: invalidInput([{ path: '', message }], true),
  })
  if (bytes === undefined) return refuse(`the line is longer than ${MAX_LINE_BYTES / 1024} kB`)
  if (!isUtf8(bytes)) return refuse('the line is not UTF-8')
  const given = readJson(bytes)
  if (given === undefined) return refuse('the line is not JSON')
  return parseValue(schema, number, given)
}

/** As `parseLine`, for a line that was read already. */
export function parseValue<T>(schema: z.ZodType<T>, number: number, given: unknown): ParsedLine<T> {
  const unprocessable = findUnprocessable({ line: given })
  if (unprocessable) return { number, given, error: invalidInput([unprocessable], true) }
  const parsed = schema.safeParse(given, { reportInput: true })
  if (parsed.success) return { number, value: parsed.data }
  const issues = parsed.error.issues.flatMap((issue) => toIssues({ ...issue, path: ['line', ...issue.path] }))
  return { number, given, error: invalidInput(issues, true) }
}

/** Undefined where it is not JSON, which has no undefined. */
function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
