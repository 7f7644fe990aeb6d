import type { Request } from 'express'
import { z } from 'zod'
import { ROUTES } from '../../db/schema/index.ts'
import { ApiError } from '../../errors.ts'

/** A text that people type; undefined if it is empty. */
export const searchText = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\0]*$/)
  .transform((text) => text || undefined)
/** An id or a count. */
export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

const shape = z.object({
  org: searchText.optional(),
  /** The search text. */
  q: searchText.optional(),
  /** The id of a customer. */
  id: z.uuid().optional(),
  /** Of the feed: the id of a WABA phone, the decision of routing, and the type of the messages. */
  number: searchText.optional(),
  decision: z.enum([...ROUTES, '']).optional(),
  type: searchText.optional(),
  /** Of the timeline: one kind of entries, and one chatroom. */
  show: z.enum(['messages', 'changes', '']).optional(),
  room: z.uuid().or(z.literal('')).optional(),
  text: z.literal('show').optional(),
  /** Of a customer: the places behind which the chatrooms and the timeline begin. */
  rooms: searchText.optional(),
  before: searchText.optional(),
  replayed: wholeNumber.optional(),
  first: wholeNumber.optional(),
  last: wholeNumber.optional(),
})

export type PageQuery = z.infer<typeof shape>

/**
 * Reads the query parameters of the console's pages.
 * @throws ApiError INVALID_INPUT, naming the parameters that are not valid
 */
export function readPageQuery(req: Request): PageQuery {
  return readQuery(shape, req.query)
}

/**
 * Reads the parameters of a page, or of a form.
 * @throws ApiError INVALID_INPUT, naming the parameters that are not valid
 */
export function readQuery<T>(shape: z.ZodType<T>, query: unknown): T {
  const { data, success, error } = shape.safeParse(query)
  if (success) return data
  const names = error.issues.map((issue) => String(issue.path[0])).join(', ')
  throw new ApiError('INVALID_INPUT', `The address has invalid parameters: ${names}.`)
}
