import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { createdAt, id, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/**
 * One WhatsApp person as one org sees them. Routing and the API lock this row before they change anything of the customer;
 * several rows are locked in (org, id) order. `preferenceAt` is Meta's time of the last `user_preferences`, so that one
 * that arrives late changes nothing. `mergedInto` is the customer that turned out to be the same person, and that has the
 * aliases of both since then.
 */
export const customers = pgTable(
  'customers',
  {
    orgId: orgId().references(() => orgs.id),
    id: id(),
    profileName: text('profile_name'),
    mergedInto: uuid('merged_into'),
    optedOutAt: instant('opted_out_at'),
    preferenceAt: instant('preference_at'),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'customers_pkey', columns: [t.orgId, t.id] })],
)

export const ALIAS_KINDS = ['phone', 'wa_id', 'bsuid', 'parent_bsuid'] as const

/**
 * The names that Meta or the CRM uses for a customer. Ids are stored verbatim, phones as E.164. Rows are never deleted.
 */
export const customerAliases = pgTable(
  'customer_aliases',
  {
    orgId: orgId(),
    kind: text('kind', { enum: ALIAS_KINDS }).notNull(),
    value: text('value').notNull(),
    customerId: uuid('customer_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'customer_aliases_pkey', columns: [t.orgId, t.kind, t.value] }),
    foreignKey({
      name: 'customer_aliases_customer_fkey',
      columns: [t.orgId, t.customerId],
      foreignColumns: [customers.orgId, customers.id],
    }),
    index('customer_aliases_customer').on(t.orgId, t.customerId),
    check('customer_aliases_kind_known', sql`${t.kind} in ('phone', 'wa_id', 'bsuid', 'parent_bsuid')`),
    check('customer_aliases_value_present', sql`${t.value} <> ''`),
  ],
)
