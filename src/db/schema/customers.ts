import { sql } from 'drizzle-orm'
import { check, foreignKey, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { createdAt, exactText, id, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/**
 * One WhatsApp person as one org sees them. Routing and the API lock this row before they change anything of the customer;
 * several rows are locked in (org, id) order. `preferenceAt` is Meta's time of the last `user_preferences`, so that one
 * that arrives late changes nothing. Until `marketingPausedUntil` Meta takes no marketing messages to the customer. `mergedInto` is the customer that turned out to be the same person, and that has the
 * aliases of both since then. `waId` is where messages to the customer go, as long as it is an alias of the customer: the
 * `wa_id` of the latest message, or named by a change of numbers since; Meta's time of that is `waIdAt`.
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
    marketingPausedUntil: instant('marketing_paused_until'),
    waId: exactText('wa_id'),
    waIdAt: instant('wa_id_at'),
    /** Since then the row is nobody's: the person was erased (docs/privacy.md). */
    erasedAt: instant('erased_at'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'customers_pkey', columns: [t.orgId, t.id] }),
    index('customers_merged').on(t.orgId, t.mergedInto).where(sql`merged_into is not null`),
  ],
)

export const ALIAS_KINDS = ['phone', 'wa_id', 'bsuid', 'parent_bsuid'] as const

/**
 * The names by which customers are found now. Ids are stored verbatim, phones as E.164. `since`: Meta announced the name
 * then, or it had another holder until then, so an older message may be of a former holder. `wabaIds`: the WABAs at which
 * a BSUID was seen; null if it was learned before these were recorded.
 */
export const customerAliases = pgTable(
  'customer_aliases',
  {
    orgId: orgId(),
    kind: exactText<(typeof ALIAS_KINDS)[number]>('kind').notNull(),
    value: exactText('value').notNull(),
    customerId: uuid('customer_id').notNull(),
    createdAt: createdAt(),
    since: instant('since'),
    wabaIds: text('waba_ids').array(),
  },
  (t) => [
    primaryKey({ name: 'customer_aliases_pkey', columns: [t.orgId, t.kind, t.value] }),
    foreignKey({
      name: 'customer_aliases_customer_fkey',
      columns: [t.orgId, t.customerId],
      foreignColumns: [customers.orgId, customers.id],
    }),
    index('customer_aliases_customer').on(t.orgId, t.customerId),
    // The names that mean the same are found together (src/identity/aliases.ts).
    index('customer_aliases_common').on(t.orgId, sql`ltrim(value, '+')`),
    // Names of former versions, which repairNames looks for; there are none once it has run.
    index('customer_aliases_with_plus').on(t.orgId, t.value).where(sql`kind = 'wa_id' and value like '+%'`),
    check('customer_aliases_kind_known', sql`${t.kind} in ('phone', 'wa_id', 'bsuid', 'parent_bsuid')`),
    check('customer_aliases_value_present', sql`${t.value} <> ''`),
  ],
)

/**
 * The names that customers gave up, as Meta says. A message that was sent until then is of this customer, a later one is of
 * the customer who has the name in `customer_aliases`, if any. Rows are never deleted.
 */
export const formerAliases = pgTable(
  'former_aliases',
  {
    orgId: orgId(),
    kind: exactText<(typeof ALIAS_KINDS)[number]>('kind').notNull(),
    value: exactText('value').notNull(),
    until: instant('until').notNull(),
    customerId: uuid('customer_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'former_aliases_pkey', columns: [t.orgId, t.kind, t.value, t.until] }),
    foreignKey({
      name: 'former_aliases_customer_fkey',
      columns: [t.orgId, t.customerId],
      foreignColumns: [customers.orgId, customers.id],
    }),
    index('former_aliases_customer').on(t.orgId, t.customerId),
    check('former_aliases_kind_known', sql`${t.kind} in ('phone', 'wa_id', 'bsuid', 'parent_bsuid')`),
  ],
)
