import { ASKED_FOR, type AuditEvent, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { violatedConstraint } from '../db/pg-errors.ts'
import { allRows, nothing, over, run, type Statement } from '../db/statement.ts'
import { ProvisionError } from './provision-error.ts'
import type { WantedUser } from './provision-parts.ts'

type User = { id: string; email: string; name: string }
type Known = User & { isRemoved: boolean }

/**
 * Creates users, changes them, and brings removed ones back: a user who is given is a user. The org's row must be locked.
 * @throws ProvisionError for a new user without an e-mail address or a name, and for an address that another user has
 */
export async function provisionUsers(
  tx: Db,
  orgId: string,
  wanted: WantedUser[],
  actor: string,
): Promise<void> {
  const ids = wanted.map(({ id }) => id)
  const known = new Map((await run(tx, readUsers(orgId, ids))).map((user) => [user.id, user]))
  const changes = wanted.flatMap((user) => changeOf(complete(user, known.get(user.id)), known.get(user.id)))
  await writeUsers(tx, orgId, changes)
  await recordEvents(
    tx,
    changes.map(({ id, email, name, kind, before }): AuditEvent => {
      const after = { user_id: id, email, name }
      return { orgId, kind, actor, reason: ASKED_FOR, ...(before && { before }), after }
    }),
  )
}

function complete({ id, email, name }: WantedUser, known: Known | undefined): User {
  const user = { id, email: email ?? known?.email, name: name ?? known?.name }
  if (user.email !== undefined && user.name !== undefined) return user as User
  const lacking = user.email === undefined ? 'email' : 'name'
  throw new ProvisionError('INVALID_INPUT', `the user ${id} is new: ${lacking} is required`)
}

type Change = User & { kind: `user.${'created' | 'updated' | 'restored'}`; before?: Partial<User> }

function changeOf(user: User, known: Known | undefined): Change[] {
  if (!known) return [{ ...user, kind: 'user.created' }]
  const { email, name, isRemoved } = known
  const before = { email, name }
  if (isRemoved) return [{ ...user, kind: 'user.restored', before }]
  return email === user.email && name === user.name ? [] : [{ ...user, kind: 'user.updated', before }]
}

function readUsers(orgId: string, ids: string[]): Statement<Known[]> {
  return {
    text: `select id, email, name, removed_at is not null as "isRemoved"
      from users where org_id = $1 and id = any($2::text[])`,
    values: [orgId, ids],
    read: allRows<Known>,
  }
}

const USERS = columns<User>({
  id: text((u) => u.id),
  email: text((u) => u.email),
  name: text((u) => u.name),
})

async function writeUsers(tx: Db, orgId: string, users: User[]): Promise<void> {
  const write = over(USERS, users, {
    name: 'write-users',
    text: `insert into users (org_id, id, email, name) select $4, id, email, name from ${USERS.as('u')}
      on conflict (org_id, id) do update set email = excluded.email, name = excluded.name,
        removed_at = null, released_at = null`,
    values: [orgId],
    read: nothing,
  })
  try {
    await run(tx, write)
  } catch (error) {
    if (violatedConstraint(error) !== 'users_email') throw error
    throw new ProvisionError('UQ_CONSTRAINT_FAILED', 'two users of the org have the same e-mail address')
  }
}

/** Which of these ids are no users of the org, or removed ones. */
export function readStrangers(orgId: string, ids: string[]): Statement<string[]> {
  return {
    text: `select id from unnest($2::text[]) as given(id) where not exists (
        select from users u where u.org_id = $1 and u.id = given.id and u.removed_at is null)`,
    values: [orgId, ids],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  }
}

/** The ids of the org's users who are not among these. */
export function readOtherUsers(tx: Db, orgId: string, users: WantedUser[]): Promise<string[]> {
  return run(tx, {
    name: 'read-other-users',
    text: 'select id from users where org_id = $1 and removed_at is null and id <> all($2::text[])',
    values: [orgId, users.map(({ id }) => id)],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  })
}
