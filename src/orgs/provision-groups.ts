import { ASKED_FOR, recordEvents } from '../audit/record-events.ts'
import type { Db } from '../db/client.ts'
import { columns, text } from '../db/columns.ts'
import { firstRow, over, run, type Statement } from '../db/statement.ts'
import { ProvisionError } from './provision-error.ts'
import { unknownMember } from './provision-mistakes.ts'
import type { WantedGroup } from './provision-parts.ts'
import { readStrangers } from './provision-users.ts'
import { removeMembers } from './remove-members.ts'

/**
 * Creates groups, changes their names, and gives them their members, where members are given. The org's row must be locked.
 * @throws ProvisionError for a new group without a name, and for a member who is no user of the org
 */
export async function provisionGroups(
  tx: Db,
  orgId: string,
  wanted: WantedGroup[],
  actor: string,
): Promise<void> {
  for (const group of wanted) {
    await writeName(tx, orgId, group, actor)
    if (group.members) await setMembers(tx, { orgId, groupId: group.id, members: group.members, actor })
  }
}

async function writeName(tx: Db, orgId: string, { id, name }: WantedGroup, actor: string): Promise<void> {
  const known = await run(tx, readName(orgId, id))
  if (known && (name === undefined || name === known.name)) return
  if (name === undefined)
    throw new ProvisionError('INVALID_INPUT', `the group ${id} is new: name is required`)
  await run(tx, {
    text: `insert into groups (org_id, id, name) values ($1, $2, $3)
      on conflict (org_id, id) do update set name = excluded.name`,
    values: [orgId, id, name],
    read: () => undefined,
  })
  const kind = known ? ('group.renamed' as const) : ('group.created' as const)
  const change = { ...(known && { before: { name: known.name } }), after: { group_id: id, name } }
  await recordEvents(tx, [{ orgId, kind, actor, reason: ASKED_FOR, ...change }])
}

function readName(orgId: string, id: string): Statement<{ name: string } | undefined> {
  return {
    text: 'select name from groups where org_id = $1 and id = $2',
    values: [orgId, id],
    read: firstRow<{ name: string }>,
  }
}

type Members = { orgId: string; groupId: string; members: string[]; actor: string }

async function setMembers(tx: Db, { orgId, groupId, members, actor }: Members): Promise<void> {
  const [stranger] = await run(tx, readStrangers(orgId, members))
  if (stranger !== undefined) throw new ProvisionError('USER_NOT_FOUND', unknownMember(groupId, stranger))
  await removeMembers(tx, { orgId, groupId, staying: members, actor })
  const added = await run(tx, addMembers(orgId, groupId, members))
  if (added.length === 0) return
  const after = { group_id: groupId, user_ids: added }
  await recordEvents(tx, [{ orgId, kind: 'group.members_added', actor, reason: ASKED_FOR, after }])
}

const MEMBERS = columns<string>({ user_id: text((id) => id) })

function addMembers(orgId: string, groupId: string, members: string[]): Statement<string[]> {
  return over(MEMBERS, members, {
    name: 'add-group-members',
    text: `insert into group_members (org_id, group_id, user_id)
      select $2, $3, user_id from ${MEMBERS.as('m')} on conflict do nothing returning user_id as id`,
    values: [orgId, groupId],
    read: (rows: { id: string }[]) => rows.map(({ id }) => id),
  })
}
