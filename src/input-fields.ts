import { validate as isUuid, NIL } from 'uuid'
import { z } from 'zod'

/** The longest id or name that a client may give. */
export const MAX_ID_LENGTH = 128

/** An id that a client or Meta has assigned (org, user, group, WABA, number): 1 to 128 characters, kept verbatim. */
export const foreignId = z.string().min(1).max(MAX_ID_LENGTH)

/**
 * An id that Usher has assigned (contact, chatroom). A value that is not a UUID becomes the nil UUID, which no row has:
 * PostgreSQL never has to cast it, and the verb answers with its own "not found".
 */
export const ownId = foreignId.transform((value) => (isUuid(value) ? value.toLowerCase() : NIL))

/** A flag in a query string: exactly `true` or `false`. */
export const queryFlag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .default(fallback)
    .meta({ type: 'boolean', enum: undefined, default: fallback })

/** An instant in an answer: ISO 8601 in UTC, as `Date.toISOString` formats it. */
export const instant = z.iso.datetime()
