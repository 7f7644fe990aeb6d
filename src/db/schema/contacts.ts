import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  foreignKey,
  index,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { createdAt, exactText, id, instant, orgId } from './columns.ts'
import { customers } from './customers.ts'
import { wabaPhones } from './wabas.ts'

/** A CRM record (a lead). One customer may have many contacts; an affiliate has only one. */
export const contacts = pgTable(
  'contacts',
  {
    orgId: orgId(),
    id: id(),
    customerId: uuid('customer_id').notNull(),
    crmId: exactText('crm_id').notNull(),
    phone: exactText('phone'),
    firstName: text('first_name'),
    lastName: text('last_name'),
    optInDate: instant('opt_in_date'),
    governanceLevelId: exactText('governance_level_id'),
    isInbound: boolean('is_inbound').notNull().default(false),
    isAffiliate: boolean('is_affiliate').notNull().default(false),
    source: text('source', { enum: ['BTRIX', 'CAMPAIGN'] }),
    stage: text('stage'),
    disposition: text('disposition'),
    additionalFields: json('additional_fields').$type<Record<string, unknown>>(),
    expiredAt: instant('expired_at'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'contacts_pkey', columns: [t.orgId, t.id] }),
    unique('contacts_crm_id').on(t.orgId, t.crmId),
    unique('contacts_whose').on(t.orgId, t.id, t.customerId),
    foreignKey({
      name: 'contacts_customer_fkey',
      columns: [t.orgId, t.customerId],
      foreignColumns: [customers.orgId, customers.id],
    }),
    index('contacts_customer').on(t.orgId, t.customerId, t.createdAt),
    uniqueIndex('contacts_one_affiliate').on(t.orgId, t.customerId).where(sql`is_affiliate`),
    index('contacts_to_expire').on(t.orgId, t.createdAt, t.id).where(sql`expired_at is null`),
    check('contacts_phone_e164', sql`${t.phone} ~ '^\\+[1-9][0-9]{1,14}$'`),
  ],
)

/** The WABA mapping of a contact, which has at most one: the number that communicates with it. */
export const contactWabas = pgTable(
  'contact_wabas',
  {
    orgId: orgId(),
    contactId: uuid('contact_id').notNull(),
    wabaPhoneId: exactText('waba_phone_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'contact_wabas_pkey', columns: [t.orgId, t.contactId] }),
    foreignKey({
      name: 'contact_wabas_contact_fkey',
      columns: [t.orgId, t.contactId],
      foreignColumns: [contacts.orgId, contacts.id],
    }),
    foreignKey({
      name: 'contact_wabas_phone_fkey',
      columns: [t.orgId, t.wabaPhoneId],
      foreignColumns: [wabaPhones.orgId, wabaPhones.id],
    }),
  ],
)
