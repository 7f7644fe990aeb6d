import { nothing, type Statement } from '../db/statement.ts'

/** Makes the changes of an org's parts wait for each other. */
export function lockOrg(orgId: string): Statement<void> {
  return {
    name: 'lock-org',
    text: 'select 1 from orgs where id = $1 for no key update',
    values: [orgId],
    read: nothing,
  }
}
