import { numberMistakes, repeated } from './number-change.ts'
import type { WantedOrg } from './provision-parts.ts'

/**
 * The mistakes in what an org is to become, one line each, that can be seen without its rows: ids given twice, and users who
 * are removed and named.
 */
export function mistakesOf(org: WantedOrg): string[] {
  return [...duplicates(org), ...goneUsers(org)]
}

/** A line for each id that is given more than once: the later entry would win without a word. */
export function givenTwice(what: string, ids: string[]): string[] {
  return repeated(ids).map((id) => `the ${what} ${id} is given twice`)
}

function duplicates({ wabas, numbers, users, leavers, groups, affiliates }: WantedOrg): string[] {
  return [
    ...numberMistakes(numbers ?? []),
    ...givenTwice('WABA', idsOf(wabas)),
    ...givenTwice('user', [...idsOf(users), ...(leavers ?? [])]),
    ...givenTwice('group', idsOf(groups)),
    ...givenTwice('affiliate', affiliates?.map(({ crm_id }) => crm_id) ?? []),
  ]
}

function goneUsers({ users, leavers, usersAreComplete, groups, settings }: WantedOrg): string[] {
  const staying = new Set(idsOf(users))
  const leaving = new Set(leavers)
  const isGone = (id: string) => leaving.has(id) || (usersAreComplete && !staying.has(id))
  const members = groups?.flatMap(({ id, members = [] }) =>
    members.filter(isGone).map((member) => unknownMember(id, member)),
  )
  const { delegate } = settings ?? {}
  return [
    ...(members ?? []),
    ...(delegate && 'user_id' in delegate && isGone(delegate.user_id) ? [UNKNOWN_DELEGATE.user_id] : []),
    ...(usersAreComplete && staying.size === 0 ? ['users_are_complete needs users'] : []),
  ]
}

/** The message for a member who is no user of the org. */
export function unknownMember(groupId: string, userId: string): string {
  return `group ${groupId} has the unknown or removed member ${userId}`
}

/** The messages for a delegate whom the org does not have. */
export const UNKNOWN_DELEGATE = {
  user_id: 'delegate.user_id is unknown or removed',
  group_id: 'delegate.group_id is unknown',
}

function idsOf(entries: { id: string }[] | undefined): string[] {
  return entries?.map(({ id }) => id) ?? []
}
