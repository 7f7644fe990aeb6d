import type { Report } from '../checks/report.ts'
import { callApi } from './call-api.ts'
import type { Lab } from './lab.ts'

type Row = { orgId: string; userId: string; remains: string[] }

const REMOVED = `
  select u.org_id as "orgId", u.id as "userId", array_remove(array[
    case when u.released_at is null then 'not released' end,
    case when exists (select from chatroom_members m where m.org_id = u.org_id and m.user_id = u.id) then 'chatrooms' end,
    case when exists (select from chatrooms r where r.org_id = u.org_id and r.pending_user_id = u.id) then 'handovers' end,
    case when exists (select from group_members g where g.org_id = u.org_id and g.user_id = u.id) then 'groups' end
  ], null) as remains
  from users u where u.removed_at is not null`

/** The users who were removed, with what they still have. */
export async function readRemoved({ db }: Pick<Lab, 'db'>): Promise<Row[]> {
  return (await db.$client.query<Row>(REMOVED)).rows
}

/** Checks that users who left have nothing any more, and that the API refuses their tokens. */
export async function checkPeople(lab: Lab, report: Report): Promise<void> {
  for (const { orgId, userId, remains } of await readRemoved(lab)) {
    if (remains.length > 0) report.add('removedHasNothing', `${orgId} ${userId}: ${remains.join(', ')}`)
    const status = await callApi(lab, { orgId, user: userId, method: 'GET', path: '/settings' })
    if (status !== 403) report.add('removedIsRefused', `${orgId} ${userId}: ${status}`)
  }
}
