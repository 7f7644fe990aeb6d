import { expect, it } from 'vitest'
import { JWT_SECRET, mint } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { dumpDatabase, linesWith } from '../support/dump.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { startUsher } from '../support/process.ts'

const MESSAGES = 10_000
const PHONE = '15550001111'

it('an erasure of 10,000 messages goes on where a killed process left it, and nothing of it is ever half visible', async () => {
  const { db, url: DATABASE_URL } = await createTestDatabase()
  const org = await createSendingOrg(db)
  const room = await createRoom(db, org, { customer: `+${PHONE}` })
  await db.$client.query(
    `with m as (
      insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
        seq, route, reason, payload)
      select $1, 'wamid.of-person-' || n, $2, $3, $4, 'in', 'text', now() - n * interval '1 second', now(), n, 'active', 'x',
        json_build_object('from', '${PHONE}', 'text', json_build_object('body', 'my secret ' || n))
      from generate_series(1, $5::int) n),
    e as (
      insert into events (org_id, id, kind, actor, customer_id, reason, wamid)
      select $1, gen_random_uuid(), 'x', 'x', $3, 'my secret', 'wamid.of-person-' || n from generate_series(1, $5::int) n)
    insert into event_log (org_id, position, type, customer_id, wamid)
    select $1, n, 'message.received', $3, 'wamid.of-person-' || n from generate_series(1, $5::int) n`,
    [org.id, org.phones[0], room.customerId, room.id, MESSAGES],
  )
  const env = { DATABASE_URL, SECRETS_KEY, JWT_SECRET, GRAPH_API_URL: 'http://127.0.0.1:9' }
  const headers = { authorization: `Bearer ${await mint({ org: org.id })}` }
  const stage = async () =>
    (await db.$client.query('select stage, finished_at from erasures where org_id = $1', [org.id])).rows[0]

  const first = await startUsher('all', env)
  const began = performance.now()
  const customer = (at: string) => `${at}/v1/org/${org.id}/customer?phone=${PHONE}`
  const asked = fetch(customer(first.url), { method: 'DELETE', headers }).catch(() => undefined)
  // Killed while the messages are being deleted, and once more later.
  await expect.poll(async () => (await stage())?.stage, { interval: 5 }).toBe('messages')
  first.child.kill('SIGKILL')
  await asked
  const second = await startUsher('all', env)
  expect((await fetch(customer(second.url), { headers })).status).toBe(404)
  const again = await fetch(customer(second.url), { method: 'DELETE', headers })
  expect(again.status).toBe(202)
  const { messages } = (await (
    await fetch(`${second.url}/v1/org/${org.id}/chatroom/${room.id}/messages`, { headers })
  ).json()) as { messages: unknown[] }
  expect(messages, 'from the answer on, no message is shown').toEqual([])
  second.child.kill('SIGKILL')
  await startUsher('all', env)
  await expect.poll(async () => (await stage()).finished_at).not.toBe(null)
  const seconds = (performance.now() - began) / 1_000
  process.stdout.write(
    `an erasure of ${MESSAGES} messages took ${seconds.toFixed(1)} s, with two kills and three starts\n`,
  )
  expect(linesWith(await dumpDatabase(db), [PHONE, 'my secret', 'wamid.of-person'])).toEqual([])
  const { rows } = await db.$client.query('select messages from erasures where org_id = $1', [org.id])
  expect(rows).toEqual([{ messages: MESSAGES }])
})
