import { expect, it } from 'vitest'
import { atEndOf } from '../support/at-end.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { startUsher } from '../support/process.ts'
import { readRepositoryFile } from '../support/repository.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const PASSWORD = 'least-rights'

/** The statements of docs/operate.md, for a role of this test alone. */
function documentedRights(role: string, owner: string): string {
  const [, statements = ''] =
    /```sql\n(create role usher_app.*?)```/s.exec(readRepositoryFile('docs/operate.md')) ?? []
  return statements
    .replaceAll('usher_app', role)
    .replaceAll('usher_owner', owner)
    .replace('PASSWORD', PASSWORD)
}

it('a database role with exactly the documented rights is enough to store, to route, to send and to sweep', async () => {
  const { url, db, pool } = await createTestDatabase()
  const role = `usher_app_${process.pid}`
  await pool.query(documentedRights(role, new URL(url).username))
  atEndOf('test', async () => void (await pool.query(`drop owned by ${role}; drop role ${role}`)))
  const [graph, org] = [await startGraph(), await createSendingOrg(db)]
  await createRoom(db, org, { customer: '+15550001111', expiredAt: ago(1) })
  const DATABASE_URL = Object.assign(new URL(url), { username: role, password: PASSWORD }).href
  const env = { DATABASE_URL, GRAPH_API_URL: graph.url, SECRETS_KEY }
  const [server, workers] = await Promise.all([startUsher('server', env), startUsher('workers', env)])
  for (const from of ['15550001111', '15550002222'])
    expect(await postDelivery(server.url, post(org.phones[0]!, message({ from })))).toBe(200)
  const routed = async () => (await pool.query(`select from messages where direction = 'in'`)).rowCount
  await expect.poll(routed).toBe(2)
  await expect.poll(() => graph.accepted.length).toBe(1)
  await workers.printed(/"Usher is up"/)
  const swept = async () =>
    (
      await pool.query(
        `select from heartbeats where name = 'deactivate-inactive' and answered_at is not null`,
      )
    ).rowCount
  await expect.poll(swept).toBe(1)
  expect((await fetch(`${server.opsUrl}/metrics`)).status).toBe(200)
  expect(await Promise.all([server.stop(), workers.stop()])).toEqual([0, 0])
  expect((server.output() + workers.output()).match(/.*permission denied.*/g)).toEqual(null)
})
