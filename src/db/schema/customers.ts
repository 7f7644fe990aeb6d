import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { createdAt, id, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/**
 * One WhatsApp person as one org sees them: the row that routing and the API lock, in (org, id) order.
 * `preferenceAt`: Meta's time of the last `user_preferences`, so that a late one changes nothing.
 * `mergedInto`: this customer turned out to be that one, who has its names now.
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

/** Every name Meta or the CRM has for a customer. Values are verbatim (phones: E.164); never deleted. */
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
