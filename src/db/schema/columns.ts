import { customType, text, timestamp, uuid } from 'drizzle-orm/pg-core'

/** The tenant. It is the first column of every key, which separates the orgs. */
export const orgId = () => text('org_id').notNull()

/** A time in milliseconds, like JavaScript's dates, so that a value that is read equals the value that was stored. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })
export const createdAt = () => instant('created_at').notNull().defaultNow()

/** A public id: a UUIDv7 that the caller generates, so that ids sort by time. */
export const id = () => uuid('id').notNull()

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
