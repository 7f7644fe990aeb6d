import { columns, json, text, timestamptz, uuid } from '../db/columns.ts'
import { nothing, over, type Statement } from '../db/statement.ts'
import { provisionalWamidSql } from '../rules/provisional-wamid.ts'
import type { StatusUpdate } from '../webhook/items.ts'

export type OrgStatus = StatusUpdate & { orgId: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Moves the statuses of sent messages forward, never back: Meta sends statuses late and in any order. Statuses of
 * unknown messages, and status words that Meta added later, change nothing.
 */
export function applyStatuses(statuses: OrgStatus[]): Statement<void>[] {
  return [
    markSentByStatus(statuses.filter((s) => s.callback && UUID.test(s.callback))),
    moveForward(statuses),
  ]
}

const CALLBACKS = columns<OrgStatus>({
  org_id: text((s) => s.orgId),
  id: uuid((s) => s.callback),
  wamid: text((s) => s.wamid),
  status: text((s) => s.status),
})

/** A status that names the outbox row ends a send whose answer never came, and gives the message its real wamid. */
function markSentByStatus(statuses: OrgStatus[]): Statement<void> {
  return over(CALLBACKS, statuses, {
    name: 'mark-sent-by-status',
    text: `with s as (
        select distinct on (org_id, id) * from ${CALLBACKS.as('s')} order by org_id, id, status = 'failed'),
      ended as (
        update outbox o set wamid = s.wamid, state = case when s.status = 'failed' then 'failed' else 'sent' end
        from s where o.org_id = s.org_id and o.id = s.id and o.state in ('sending', 'unknown'))
      update messages m set wamid = s.wamid, errors = null
      from s where m.org_id = s.org_id and m.direction = 'out'
        and m.wamid = ${provisionalWamidSql('s.id')}`,
    read: nothing,
  })
}

const STATUSES = columns<OrgStatus>({
  org_id: text((s) => s.orgId),
  wamid: text((s) => s.wamid),
  status: text((s) => s.status),
  at: timestamptz((s) => s.at),
  errors: json((s) => s.errors),
})

function moveForward(statuses: OrgStatus[]): Statement<void> {
  return over(STATUSES, statuses, {
    name: 'apply-statuses',
    text: `with ranks(status, rank) as (values ('sent', 1), ('delivered', 2), ('read', 3), ('played', 4), ('failed', 5)),
      newest as (
        select distinct on (u.org_id, u.wamid) u.*, ranks.rank
        from ${STATUSES.as('u')} join ranks on ranks.status = u.status
        order by u.org_id, u.wamid, ranks.rank desc)
      update messages m set status = n.status, status_at = n.at, errors = coalesce(n.errors, m.errors)
      from newest n
      where m.org_id = n.org_id and m.wamid = n.wamid and m.direction = 'out'
        and n.rank > coalesce((select rank from ranks where ranks.status = m.status), 0)`,
    read: nothing,
  })
}
