import type { Request } from 'express'
import { z } from 'zod'
import { ROUTES } from '../../db/schema/index.ts'
import { ApiError } from '../../errors.ts'

const searchText = z
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
  before: wholeNumber.optional(),
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
  const { data, success, error } = shape.safeParse(req.query)
  if (success) return data
  const names = error.issues.map((issue) => String(issue.path[0])).join(', ')
  throw new ApiError('INVALID_INPUT', `The address has invalid parameters: ${names}.`)
}
