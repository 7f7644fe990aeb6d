import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { encryptSecret } from '../../src/secrets.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type Reply } from '../support/graph-server.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { startProcess } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

const KEY = randomBytes(32)

/** An auto-reply in the outbox, a stand-in Graph API, and how to start worker processes that send it. */
async function oneReply(...script: Reply[]) {
  const { url: DATABASE_URL, db } = await createTestDatabase()
  const org = await createOrg(db, { auto_reply_text: 'closed' })
  const token = encryptSecret('t', KEY, `${org.id}/${org.wabaId}`)
  await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, token])
  await createRoom(db, org, { expiredAt: new Date(Date.now() - 1000) })
  await deliver(db, post(org.phones[0]!, message({})))
  // Due for requeue-stranded at once: nobody told the queue.
  await db.$client.query(`update outbox set due_at = now() - interval '1 minute'`)
  const graph = await startGraph(...script)
  const env = { DATABASE_URL, OPS_PORT: '0', GRAPH_API_URL: graph.url, SECRETS_KEY: KEY.toString('base64') }
  const state = async () => (await db.$client.query('select state from outbox')).rows[0].state
  return { db, graph, state, startWorkers: () => startProcess('workers/main.js', ['workers'], env) }
}

it('a sender killed while its request is under way leaves an unknown, which no other sends again', async () => {
  const { db, graph, state, startWorkers } = await oneReply(() => undefined)
  const first = startWorkers()
  await expect.poll(() => graph.requests.length, { timeout: 25_000 }).toBe(1)
  first.child.kill('SIGKILL')
  expect(await state()).toBe('sending')
  // Its lease is over, and the time to look again has come.
  await db.$client.query(`update outbox set due_at = now() - interval '1 second'`)
  startWorkers()
  await expect.poll(state, { timeout: 25_000 }).toBe('unknown')
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
  const first = startWorkers()
  await first.printed(/Usher is up/)
  first.child.kill('SIGKILL')
  await db.$client.query(`delete from outbox where state = 'sent'`)
  expect([await state(), graph.requests.length]).toEqual(['queued', 0])
  startWorkers()
  await expect.poll(state, { timeout: 40_000 }).toBe('sent')
  expect(graph.requests).toHaveLength(1)
})
