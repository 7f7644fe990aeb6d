import type { z } from 'zod'
import { ApiError } from '../../errors.ts'

/** A place in a list, as the text of an address: opaque to people. */
export function encodePlace(parts: (number | string)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/**
 * The place in an address; undefined if it has none.
 * @throws ApiError INVALID_INPUT for a text that is no place of this list
 */
export function decodePlace<T>(text: string | undefined, shape: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined
  const { data, success } = shape.safeParse(parsed(text))
  if (!success) throw new ApiError('INVALID_INPUT', 'The address has invalid parameters: before.')
  return data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}
