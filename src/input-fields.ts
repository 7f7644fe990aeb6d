import { validate as isUuid, NIL } from 'uuid'
import { z } from 'zod'

/** Ids and names that others gave are at most this long (spec: ContactReqDto.crm_id). */
export const MAX_ID_LENGTH = 128

/** An id that belongs to others (org, user, group, WABA, number): 1 to 128 characters, verbatim. */
export const foreignId = z.string().min(1).max(MAX_ID_LENGTH)

/**
 * An id of ours (contact, chatroom). What is no UUID simply does not exist: it becomes the nil UUID, which no row
 * has, so that the verb's own "not found" answers and PostgreSQL is never asked to cast it.
 */
export const ownId = foreignId.transform((value) => (isUuid(value) ? value.toLowerCase() : NIL))

/** A flag in a query string: `true` or `false` and nothing else. */
export const queryFlag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .default(fallback)
    .meta({ type: 'boolean', enum: undefined, default: fallback })

/** An instant in an answer: ISO 8601 in UTC, as `Date.toISOString` gives. */
export const instant = z.iso.datetime()
