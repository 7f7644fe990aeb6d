import { describe, expect, it } from 'vitest'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import { createGraph } from '../../src/outbound/graph.ts'
import { announced, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type Reply, refuses } from '../support/graph-server.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, provisionOrg, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { sendNow } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const secretsKey = Buffer.from(SECRETS_KEY, 'base64')

async function sender(...script: Reply[]) {
  const graph = await startGraph(...script)
  const parts = { db, graph: createGraph({ url: graph.url, version: 'v26.0' }, 5_000), secretsKey }
  return { graph, send: (row: OutboxRow) => sendNow(parts, row) }
}

const newId = (org: TestOrg) => `${org.id}-1009`

/** Moves the org's number to a WABA with a token of its own. */
function move(org: TestOrg, more: object = { access_token: 'the-new-token' }) {
  const phones = [{ id: newId(org), replaces: org.phones[0], display_phone_number: '+1' }]
  return provisionOrg(db, { id: org.id, wabas: [{ id: `new-${org.wabaId}`, name: 'New', phones, ...more }] })
}

async function reply(org: TestOrg, phone = org.phones[0]!): Promise<OutboxRow> {
  const { replies } = await deliver(db, post(phone, message({})))
  return replies[0]!
}

async function sendingOrg(): Promise<TestOrg> {
  const org = await createSendingOrg(db)
  await createRoom(db, org, { expiredAt: ago(1) })
  return org
}

const stateOf = async ({ org, id }: OutboxRow) =>
  (await db.$client.query('select state from outbox where org_id = $1 and id = $2', [org, id])).rows[0].state

async function stoppedReason(org: TestOrg): Promise<string | null> {
  const { rows } = await db.$client.query('select stopped_reason from waba_phones where org_id = $1', [
    org.id,
  ])
  return rows[0].stopped_reason
}

describe('what is sent from a number that has moved', () => {
  it('leaves under the new id, with the token of the new WABA, also if it was queued before', async () => {
    const org = await sendingOrg()
    const before = await reply(org)
    await move(org)
    const after = await reply(org, newId(org))
    const { graph, send } = await sender(accepts, accepts)
    expect([await send(before), await send(after)]).toEqual(['accepted', 'accepted'])
    const request = { path: `/v26.0/${newId(org)}/messages`, authorization: 'Bearer the-new-token' }
    expect(graph.requests).toMatchObject([request, request])
  })

  it('may be free text while the window that opened under the former id is open', async () => {
    const org = await createSendingOrg(db)
    const room = await createRoom(db, org)
    await deliver(db, post(org.phones[0]!, message({})))
    await move(org)
    const { status } = await api.call('POST', `/v1/org/${org.id}/chatroom/${room.id}/messages`, {
      body: { origin: 'AGENT', text: { body: 'hello' } },
    })
    expect(status).toBe(202)
    const { graph, send } = await sender(accepts)
    await send(announced.at(-1)!)
    expect(graph.requests).toMatchObject([{ path: `/v26.0/${newId(org)}/messages` }])
  })

  it('waits while the former id is refused, and is sent once the number has moved', async () => {
    const org = await sendingOrg()
    const row = await reply(org)
    const { graph, send } = await sender(refuses(190, 401), accepts)
    expect(await send(row)).toBe('number_refused')
    expect(await send(row)).toBe('none')
    await move(org, {})
    expect(await stoppedReason(org)).toBeNull()
    expect(await send(row)).toBe('none')
    await move(org)
    expect(await send(row)).toBe('accepted')
    expect(graph.requests.map(({ path }) => path)).toEqual([
      `/v26.0/${org.phones[0]}/messages`,
      `/v26.0/${newId(org)}/messages`,
    ])
  })

  it('is not stopped by a refusal of the former id that arrives after the move', async () => {
    const org = await sendingOrg()
    const row = await reply(org)
    const { send } = await sender(async (...request) => {
      await move(org)
      refuses(190, 401)(...request)
    })
    expect(await send(row)).toBe('number_refused')
    expect([await stoppedReason(org), await stateOf(row)]).toEqual([null, 'queued'])
  })
})
