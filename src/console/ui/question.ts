import type { Request } from 'express'
import { z } from 'zod'
import { ApiError } from '../../errors.ts'

const words = z
  .string()
  .trim()
  .max(500)
  .regex(/^[^\0]*$/)
  .transform((text) => text || undefined)
const id = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number)

const shape = z.object({
  org: words.optional(),
  /** What is searched for. */
  q: words.optional(),
  /** A customer. */
  id: z.uuid().optional(),
  text: z.literal('show').optional(),
  before: id.optional(),
  replayed: id.optional(),
  first: id.optional(),
  last: id.optional(),
})

/**
 * The parameters that pages of the console know, from a query string.
 * @throws ApiError INVALID_INPUT
 */
export function readQuestion(req: Request): z.infer<typeof shape> {
  const { data, success, error } = shape.safeParse(req.query)
  if (success) return data
  const names = error.issues.map((issue) => String(issue.path[0])).join(', ')
  throw new ApiError('INVALID_INPUT', `This address has parameters that make no sense here: ${names}.`)
}

/**
 * A delivery's id from a path.
 * @throws ApiError NOT_FOUND
 */
export function readDeliveryId(req: Request<{ id: string }>): number {
  const { data, success } = id.safeParse(req.params.id)
  if (!success) throw unknownLetter()
  return data
}

/** There is no such dead letter, or no longer. */
export function unknownLetter(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no dead letter of this id; it may have been replayed already.')
}
