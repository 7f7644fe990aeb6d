import { customType, timestamp, uuid } from 'drizzle-orm/pg-core'

const textOfBytes = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' })

/**
 * Text of which two values are the same, or in an order, by their bytes: ids, keys, kinds, and names that Meta gives. Other
 * collations cost more to compare, and may change with the operating system, which breaks unique indexes. Text for people,
 * which no index has, has the collation of the database.
 */
export const exactText = <T extends string = string>(name: string) => textOfBytes(name).$type<T>()

/** The tenant. It is the first column of every key, which separates the orgs. */
export const orgId = () => exactText('org_id').notNull()

/** A time in milliseconds, like JavaScript's dates, so that a value that is read equals the value that was stored. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })
export const createdAt = () => instant('created_at').notNull().defaultNow()

/** A public id: a UUIDv7 that the caller generates, so that ids sort by time. */
export const id = () => uuid('id').notNull()

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
