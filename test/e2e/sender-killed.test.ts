import { expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type Reply } from '../support/graph-server.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startUsher } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

/** An auto-reply in the outbox, a stand-in Graph API, and how to start worker processes that send it. */
async function oneReply(...script: Reply[]) {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const org = await createSendingOrg(db)
  await createRoom(db, org, { expiredAt: new Date(Date.now() - 1000) })
  await deliver(db, post(org.phones[0]!, message({})))
  // Due for requeue-stranded at once, because the reply has no job.
  await db.$client.query(`update outbox set due_at = now() - interval '1 minute'`)
  const graph = await startGraph(...script)
  const env = { DATABASE_URL, GRAPH_API_URL: graph.url, SECRETS_KEY }
  const state = async () => (await db.$client.query('select state from outbox')).rows[0].state
  return { db, graph, state, startWorkers: () => startUsher('workers', env) }
}

it('a sender killed while its request is under way leaves an unknown, which no other sends again', async () => {
  const { db, graph, state, startWorkers } = await oneReply(() => undefined)
  const first = await startWorkers()
  await expect.poll(() => graph.requests.length).toBe(1)
  first.child.kill('SIGKILL')
  expect(await state()).toBe('sending')
  // Its lease is over, and the time to look again has come.
  await db.$client.query(`update outbox set due_at = now() - interval '1 second'`)
  await startWorkers()
  await expect.poll(state).toBe('unknown')
  expect(graph.requests).toHaveLength(1)
})

it('a sender killed before its request left loses nothing: another sends it, once', async () => {
  const { db, graph, state, startWorkers } = await oneReply(accepts)
  // The pair rate holds the message back: it is read, not claimed, when the sender dies.
  await db.$client.query(
    `insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, payload, state, claimed_at)
     select org_id, gen_random_uuid(), 'message', chatroom_id, customer_id, waba_phone_id, '{}', 'sent', now()
     from outbox, generate_series(1, 10)`,
  )
  const first = await startWorkers()
  first.child.kill('SIGKILL')
  await db.$client.query(`delete from outbox where state = 'sent'`)
  expect([await state(), graph.requests.length]).toEqual(['queued', 0])
  await startWorkers()
  await expect.poll(state).toBe('sent')
  expect(graph.requests).toHaveLength(1)
})
