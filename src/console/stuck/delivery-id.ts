import type { Request } from 'express'
import { ApiError } from '../../errors.ts'
import { wholeNumber } from '../ui/page-query.ts'

/**
 * Reads the id of a delivery from the path.
 * @throws ApiError NOT_FOUND when it is not an id
 */
export function readDeliveryId(req: Request<{ id: string }>): number {
  const { data, success } = wholeNumber.safeParse(req.params.id)
  if (!success) throw unknownLetter()
  return data
}

/** The error for a dead letter that does not exist, or no longer does. */
export function unknownLetter(): ApiError {
  return new ApiError('NOT_FOUND', 'There is no dead letter with this id. It may have been replayed already.')
}
