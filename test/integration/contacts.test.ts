import { beforeAll, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
let api: TestApi
let db: any
beforeAll(async () => {
  db = (await createTestDatabase()).db
  api = await startTestApi(db)
})
it('smoke', async () => {
  const org = await createOrg(db)
  const r = await api.call('POST', `/v2/org/${org.id}/contact`, { body: { crm_id: 'a', opt_in_date: 1700000000, phone_number: { rawInput: '+15550001111' }, first_name: 'X' } })
  console.log(r.status, r.body, api.logged)
  const u = await api.call('PUT', `/v1/orgs/${org.id}/contact/${r.body.id}`, { body: { crm_id: 'b' } })
  console.log(u.status, u.body, api.logged)
  const d = await api.call('PUT', `/v2/orgs/${org.id}/contact/${r.body.id}/disposition`, { body: { stage: 'b', additionalFields: { a: { b: 1 } } } })
  console.log(d.status, d.body, api.logged)
  const g = await api.call('GET', `/v2/org/${org.id}/contact/pn/+15550001111`)
  console.log(g.status, g.body, api.logged)
  for (const body of ['{', 'null', '[]', '"x"', undefined, {}, { crm_id: 'a'.repeat(129), x: { 'y\0': 1 }, first_name: '*' }, '['.repeat(500000), JSON.stringify('a'.repeat(2e6)), JSON.stringify({crm_id: '\0'})]) {
    const e = await api.call('POST', `/v2/org/${org.id}/contact`, { body })
    console.log(e.status, JSON.stringify(e.body), api.logged)
  }
  console.log((await db.$client.query('select kind, actor, before, after from events where org_id=$1', [org.id])).rows)
  const p = await api.call('GET', `/v2/org/${org.id}/contact/pn/%ZZ`)
  console.log(p.status, p.body)
  const q = await api.call('GET', `/v2/org/${org.id}/contact/pn/%FF?x=1`)
  console.log(q.status, q.body)
  console.log(JSON.stringify(api.logged))
})
