import { sql } from 'drizzle-orm'
import { foreignKey, index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { createdAt, exactText, instant, orgId } from './columns.ts'
import { orgs } from './orgs.ts'

/**
 * A user, or one who was removed: the row stays, because the audit and the chatrooms' past name it. A removed user gets
 * no chatroom and no answer of the API. `releasedAt` is when the last chatroom was taken from a removed user, and
 * `releasedChatrooms` how many were.
 */
export const users = pgTable(
  'users',
  {
    orgId: orgId().references(() => orgs.id),
    id: exactText('id').notNull(),
    email: text('email').notNull(),
    name: text('name').notNull(),
    createdAt: createdAt(),
    removedAt: instant('removed_at'),
    releasedAt: instant('released_at'),
    releasedChatrooms: integer('released_chatrooms').notNull().default(0),
  },
  (t) => [
    primaryKey({ name: 'users_pkey', columns: [t.orgId, t.id] }),
    uniqueIndex('users_email').on(t.orgId, sql`lower(${t.email}) collate "C"`).where(sql`removed_at is null`),
    index('users_to_release').on(t.orgId, t.id).where(sql`removed_at is not null and released_at is null`),
  ],
)

export const groups = pgTable(
  'groups',
  {
    orgId: orgId().references(() => orgs.id),
    id: exactText('id').notNull(),
    name: text('name').notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ name: 'groups_pkey', columns: [t.orgId, t.id] })],
)

/** Members of a group. `lastAssignedAt` decides between members who have the same number of active chatrooms. */
export const groupMembers = pgTable(
  'group_members',
  {
    orgId: orgId(),
    groupId: exactText('group_id').notNull(),
    userId: exactText('user_id').notNull(),
    lastAssignedAt: instant('last_assigned_at'),
  },
  (t) => [
    primaryKey({ name: 'group_members_pkey', columns: [t.orgId, t.groupId, t.userId] }),
    foreignKey({
      name: 'group_members_group_fkey',
      columns: [t.orgId, t.groupId],
      foreignColumns: [groups.orgId, groups.id],
    }).onDelete('cascade'),
    foreignKey({
      name: 'group_members_user_fkey',
      columns: [t.orgId, t.userId],
      foreignColumns: [users.orgId, users.id],
    }).onDelete('cascade'),
    index('group_members_user').on(t.orgId, t.userId),
  ],
)
