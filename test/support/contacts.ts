import type { Db } from '../../src/db/client.ts'
import type { ApiReply, TestApi } from './api.ts'
import type { TestOrg } from './org.ts'
import { unchanged } from './refusal.ts'

/** A time in an answer of the API. */
export const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

let counter = 0

/** The body of a request that creates a contact, with a `crm_id` of its own. */
const newContact = (fields: object) => ({
  crm_id: `crm-${counter++}`,
  phone_number: { countryCode: 1, nationalNumber: 5_550_001_111 },
  opt_in_date: '2024-03-01T10:00:00Z',
  ...fields,
})

/** The endpoints of contacts, called as an ADMIN of the org. */
export function contactEndpoints(api: TestApi) {
  return {
    create: (org: TestOrg, fields: object = {}, call: object = {}) =>
      api.call('POST', `/v2/org/${org.id}/contact`, { body: newContact(fields), ...call }),
    update: (org: TestOrg, id: string, body: unknown) =>
      api.call('PUT', `/v1/orgs/${org.id}/contact/${id}`, { body }),
    setDisposition: (org: TestOrg, id: string, body: unknown, call: object = {}) =>
      api.call('PUT', `/v2/orgs/${org.id}/contact/${id}/disposition`, { body, ...call }),
    byPhone: (org: TestOrg, phone: string) => api.call('GET', `/v2/org/${org.id}/contact/pn/${phone}`),
  }
}

/** The refusal of a request; fails when the request changes anything of the org. */
export async function refused(db: Db, org: TestOrg, request: () => Promise<ApiReply>) {
  const { status, body } = await unchanged(db, org, request)
  return { status, error: body.error_message, code: body.error_code, issues: body.payload?.issues }
}

export async function readContact(db: Db, org: TestOrg, id: string) {
  const text = 'select * from contacts where org_id = $1 and id = $2'
  return (await db.$client.query(text, [org.id, id])).rows[0]
}

/** The audit of the contact itself, without that of its chatrooms, the oldest first. */
export async function contactEvents(db: Db, org: TestOrg, id: string) {
  const text = `select kind, actor, before, after from events
    where org_id = $1 and contact_id = $2 and chatroom_id is null order by id`
  return (await db.$client.query(text, [org.id, id])).rows
}
