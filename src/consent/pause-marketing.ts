import { columns, text, timestamptz, uuid } from '../db/columns.ts'
import { allRows, over, type Statement } from '../db/statement.ts'
import type { LoggedEvent } from '../event-log/log-events.ts'
import { MARKETING_PAUSE } from '../rules/meta-errors.ts'

/** Meta took no marketing message to this customer at that time. */
type MarketingLimit = { orgId: string; customerId: string; at: Date }

const LIMITS = columns<MarketingLimit>({
  org_id: text((l) => l.orgId),
  id: uuid((l) => l.customerId),
  at: timestamptz((l) => l.at),
})

/**
 * Lets no campaign write to these customers for 24 h. The customers must be locked.
 * @returns the events of pauses that are new or longer
 */
export function pauseMarketing(limits: MarketingLimit[]): Statement<LoggedEvent[]> {
  return over(LIMITS, limits, {
    name: 'pause-marketing',
    text: `with l as (select org_id, id, max(at) as at from ${LIMITS.as('l')} group by org_id, id)
      update customers c set marketing_paused_until = l.at + ${MARKETING_PAUSE}
      from l where c.org_id = l.org_id and c.id = l.id
        and (c.marketing_paused_until is null or c.marketing_paused_until < l.at + ${MARKETING_PAUSE})
      returning c.org_id as "orgId", 'customer.marketing_paused' as type, c.id as "customerId",
        json_build_object('until', c.marketing_paused_until) as data`,
    read: allRows<LoggedEvent>,
  })
}
