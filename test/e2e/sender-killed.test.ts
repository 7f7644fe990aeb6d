import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { stalls } from '../support/graph-server.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startUsher } from '../support/process.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

it('a sender that is killed leaves a request under way as unknown, and what it only holds to the next sender', async () => {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const graph = await startGraph(stalls)
  const org = await createSendingOrg(db)
  const [asked, held] = await Promise.all(
    ['15550001111', '15550002222'].map(async (from) => {
      const { id } = await createRoom(db, org, { customer: `+${from}`, expiredAt: ago(1) })
      await deliver(db, post(org.phones[0]!, message({ from })))
      return id
    }),
  )
  const states = async () => {
    const text = `select state from outbox where kind = 'auto_reply' and chatroom_id = any($1)
      order by chatroom_id = $2`
    const { rows } = await db.$client.query(text, [[asked, held], held])
    return rows.map(({ state }) => state)
  }
  // The pair rate holds the second reply back: the sender has read it, and has not claimed it, when it is killed.
  await db.$client.query(
    `insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, payload, state, claimed_at)
     select org_id, gen_random_uuid(), 'message', chatroom_id, customer_id, waba_phone_id, '{}', 'sent', now()
     from outbox, generate_series(1, 10) where chatroom_id = $1`,
    [held],
  )
  // Both replies are due for requeue-stranded at once, since no job was queued for them.
  const passTime = () =>
    db.$client.query(`update outbox set due_at = now() - interval '1 minute' where state <> 'sent'`)
  await passTime()
  const env = { DATABASE_URL, GRAPH_API_URL: graph.url, SECRETS_KEY }
  const first = await startUsher('workers', env)
  await expect.poll(() => graph.requests.length).toBe(1)
  first.child.kill('SIGKILL')
  expect(await states()).toEqual(['sending', 'queued'])
  await db.$client.query(`delete from outbox where state = 'sent'`)
  await passTime()
  await startUsher('workers', env)
  await expect.poll(states).toEqual(['unknown', 'sent'])
  expect(graph.requests).toHaveLength(2)
})
