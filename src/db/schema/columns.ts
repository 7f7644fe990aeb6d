import { customType, text, timestamp, uuid } from 'drizzle-orm/pg-core'

/** The tenant. First in every key, so one org never meets another. */
export const orgId = () => text('org_id').notNull()

/** Millisecond precision, as JavaScript's: what is read back compares equal to what is stored. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })
export const createdAt = () => instant('created_at').notNull().defaultNow()

/** Public ids are UUIDv7, made by the caller, so that they sort by time. */
export const id = () => uuid('id').notNull()

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
