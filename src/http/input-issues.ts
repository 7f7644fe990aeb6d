import type { z } from 'zod'

/** One fault of an input: the field, by its path, and what is wrong with it. Neither ever holds a value. */
export type Issue = { path: string; message: string }

const MAX_DEPTH = 32
const MAX_PATH_LENGTH = 200

/** Names every unknown field, and calls a missing field missing instead of giving its expected type. */
export function toIssues(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: fieldName([...issue.path, key]),
      message: 'is not a known field',
    }))
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined
  return [{ path: fieldName(issue.path), message: missing ? 'is required' : issue.message }]
}

/**
 * The first reason why an input cannot be processed at all: too many levels of nesting, or U+0000, which PostgreSQL
 * cannot store. The search is not recursive, since the caller chooses the depth and could exhaust the stack.
 */
export function findUnprocessable(input: object): Issue | undefined {
  let level: [path: PropertyKey[], value: unknown][] = [[[], input]]
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

/** A field's path without its first part (`params`, `query` or `body`), unless that part is the whole path. */
function fieldName([part, ...path]: PropertyKey[]): string {
  const name = path.length === 0 ? part : path.map(String).join('.')
  return String(name).replaceAll('\0', '').slice(0, MAX_PATH_LENGTH)
}
