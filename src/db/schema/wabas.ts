import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import { bytea, createdAt, exactText, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/** A WhatsApp Business Account. Its access token is encrypted with SECRETS_KEY (`src/secrets.ts`). */
export const wabas = pgTable(
  'wabas',
  {
    orgId: orgId().references(() => orgs.id),
    id: exactText('id').notNull(),
    name: text('name').notNull(),
    matrixHostName: text('matrix_host_name'),
    accessToken: bytea('access_token'),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'wabas_pkey', columns: [t.orgId, t.id] })],
)

/**
 * A number of a WABA. `id` is the first `phone_number_id` under which the number was provisioned; all other tables refer
 * to it, and it never changes. `remoteId` is the `phone_number_id` that Meta knows the number by now: Meta gives a number
 * that moves to another WABA a new one (`movedTo`), and so a move changes one row. New chatrooms take the first number in
 * the order of `position` that is free for the customer. `resumedAt`: the number was provisioned again, or
 * moved, then, so what Meta refused earlier does not stop it.
 */
export const wabaPhones = pgTable(
  'waba_phones',
  {
    orgId: orgId(),
    id: exactText('id').notNull(),
    wabaId: exactText('waba_id').notNull(),
    movedTo: exactText('moved_to'),
    remoteId: exactText('remote_id').notNull().generatedAlwaysAs(sql`coalesce(moved_to, id)`),
    displayPhoneNumber: text('display_phone_number').notNull(),
    /** The digits of the display number: routing recognises the org's own numbers by them. */
    digits: exactText('digits')
      .notNull()
      .generatedAlwaysAs(sql`regexp_replace(display_phone_number, '[^0-9]', '', 'g')`),
    position: integer('position').notNull().default(0),
    stoppedAt: instant('stopped_at'),
    stoppedReason: text('stopped_reason'),
    resumedAt: instant('resumed_at'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ name: 'waba_phones_pkey', columns: [t.orgId, t.id] }),
    foreignKey({
      name: 'waba_phones_waba_fkey',
      columns: [t.orgId, t.wabaId],
      foreignColumns: [wabas.orgId, wabas.id],
    }),
    index('waba_phones_waba').on(t.orgId, t.wabaId),
    uniqueIndex('waba_phones_remote').on(t.orgId, t.remoteId),
    index('waba_phones_digits').on(t.orgId, t.digits),
  ],
)

/**
 * The org of each number and WABA, by Meta's id. This is the only key that crosses orgs, because Meta's webhooks do not
 * name an org. The table is small and rarely written, so a distributed database can keep it as a reference table.
 *
 * A number keeps all ids that it has had at Meta, since late webhooks name an old one: `wabaPhoneId` is the number
 * (`waba_phones.id`), and null means the number whose `id` this is. `replacedAt` is when the number got another id.
 */
export const metaObjects = pgTable(
  'meta_objects',
  {
    kind: exactText<'phone' | 'waba'>('kind').notNull(),
    id: exactText('id').notNull(),
    orgId: orgId().references(() => orgs.id),
    wabaPhoneId: exactText('waba_phone_id'),
    replacedAt: instant('replaced_at'),
  },
  (t) => [
    check('meta_objects_kind_known', sql`${t.kind} in ('phone', 'waba')`),
    primaryKey({ name: 'meta_objects_pkey', columns: [t.kind, t.id] }),
    index('meta_objects_org').on(t.orgId),
  ],
)
