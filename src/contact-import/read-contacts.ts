import { columns, text } from '../db/columns.ts'
import { over, type Statement } from '../db/statement.ts'

/** A contact of the org, as far as a line of an import may say otherwise. */
export type StoredContact = {
  id: string
  crmId: string
  customerId: string
  phone: string | null
  optInDate: Date | null
  firstName: string | null
  lastName: string | null
  governanceLevelId: string | null
  isInbound: boolean
  source: string | null
  createdAt: Date
  expiredAt: Date | null
}

const KEYS = columns<{ orgId: string; crmId: string }>({
  org_id: text((k) => k.orgId),
  crm_id: text((k) => k.crmId),
})

/** The contacts of an org that have these `crm_id`s, by `crm_id`. */
export function readContacts(orgId: string, crmIds: string[]): Statement<Map<string, StoredContact>> {
  const keys = crmIds.map((crmId) => ({ orgId, crmId }))
  return over(KEYS, keys, {
    name: 'read-contacts-to-import',
    text: `select c.id, c.crm_id as "crmId", c.customer_id as "customerId", c.phone, c.opt_in_date as "optInDate",
        c.first_name as "firstName", c.last_name as "lastName", c.governance_level_id as "governanceLevelId",
        c.is_inbound as "isInbound", c.source,
        c.created_at as "createdAt", c.expired_at as "expiredAt"
      from ${KEYS.as('k')} join contacts c on c.org_id = k.org_id and c.crm_id = k.crm_id`,
    read: (rows: StoredContact[]) => new Map(rows.map((row) => [row.crmId, row])),
  })
}
