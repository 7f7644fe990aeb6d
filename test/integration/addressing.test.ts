import { describe, expect, it } from 'vitest'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import { createGraph } from '../../src/outbound/graph.ts'
import { encryptSecret } from '../../src/secrets.ts'
import { announced, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, SECRETS_KEY, type TestOrg } from '../support/org.ts'
import { secondsAgo, system, text, write } from '../support/people.ts'
import { sendNow } from '../support/sender.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)
const secretsKey = Buffer.from(SECRETS_KEY, 'base64')

const KIM = { from_user_id: 'MY.1', from_parent_user_id: 'MY.ENT.7' }
const PHONE = '15550001111'

/** An org with a number in each of two business portfolios, which creates chatrooms for unknown senders. */
async function orgOfTwoPortfolios(): Promise<TestOrg> {
  const org = await createOrg(db, { unknown_sender: 'create' }, { phones: 2, wabas: [0, 1] })
  for (const wabaId of org.wabaIds) {
    const token = encryptSecret('t', secretsKey, `${org.id}/${wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where id = $1', [wabaId, token])
  }
  return org
}

/** Sends an agent's text in the chatroom, and gives what Meta was asked. */
async function reply(org: TestOrg, chatroomId: string) {
  const path = `/v1/org/${org.id}/chatroom/${chatroomId}/messages`
  const { status, body } = await api.call('POST', path, { body: { origin: 'AGENT', text: { body: 'hi' } } })
  expect(status).toBe(202)
  const graph = await startGraph()
  const graphApi = createGraph({ url: graph.url, version: 'v26.0' }, 5_000)
  const outcome = await sendNow({ db, graph: graphApi, secretsKey }, announced.at(-1) as OutboxRow)
  const shown = (await api.call('GET', path)).body.messages.find(
    (m: { reason: string }) => m.reason === body.reason,
  )
  const { to, recipient } = graph.requests[0]?.body ?? {}
  return { outcome, asked: graph.requests.length, to, recipient, errors: shown.errors }
}

describe('a message to a customer without a phone', () => {
  it('goes to the BSUID that was seen at the WABA of the sending number, not to the newest one', async () => {
    const org = await orgOfTwoPortfolios()
    const [first] = await write(db, org, [text(KIM, 60)])
    const [second] = await write(db, org, [text({ ...KIM, from_user_id: 'MY.99' })], 1)
    expect(second.customer_id).toBe(first.customer_id)
    expect(await reply(org, first.chatroom_id)).toMatchObject({ to: undefined, recipient: 'MY.1' })
    expect(await reply(org, second.chatroom_id)).toMatchObject({ to: undefined, recipient: 'MY.99' })
  })

  it('fails before Meta is asked if the BSUID was seen at another WABA only, and the chatroom says why', async () => {
    const org = await orgOfTwoPortfolios()
    await write(db, org, [text(KIM, 60)])
    const [row] = await write(db, org, [text({ from_parent_user_id: 'MY.ENT.7' })], 1)
    const { outcome, asked, errors } = await reply(org, row.chatroom_id)
    expect([outcome, asked]).toEqual(['failed', 0])
    expect(JSON.stringify(errors)).toContain('no address')
  })

  it('goes to the new BSUID after WhatsApp announced a change', async () => {
    const org = await orgOfTwoPortfolios()
    const [row] = await write(db, org, [text(KIM, 60)])
    const changed = { type: 'user_changed_user_id', user_id: 'MY.2', previous_user_id: 'MY.1' }
    await write(db, org, [system(changed, {}, 30)])
    expect(await reply(org, row.chatroom_id)).toMatchObject({ to: undefined, recipient: 'MY.2' })
  })

  it('goes to a BSUID that was learned before WABAs were recorded', async () => {
    const org = await orgOfTwoPortfolios()
    const [row] = await write(db, org, [text(KIM, 60)])
    await db.$client.query('update customer_aliases set waba_ids = null where org_id = $1', [org.id])
    expect(await reply(org, row.chatroom_id)).toMatchObject({ recipient: 'MY.1' })
  })
})

describe('a message to a customer with a phone', () => {
  it('names the phone, and no BSUID of another portfolio', async () => {
    const org = await orgOfTwoPortfolios()
    await write(db, org, [text({ ...KIM, from: PHONE }, 60)])
    const [row] = await write(db, org, [text({ from: PHONE })], 1)
    expect(await reply(org, row.chatroom_id)).toMatchObject({ to: `+${PHONE}`, recipient: undefined })
  })

  it('names the BSUID too that a status showed at the WABA', async () => {
    const org = await orgOfTwoPortfolios()
    const [row] = await write(db, org, [text({ from: PHONE }, 60)])
    const status = { id: 'wamid.X', status: 'read', timestamp: secondsAgo(0), recipient_id: PHONE }
    const statuses = [{ ...status, recipient_user_id: 'MY.5' }]
    await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses })])))
    expect(await reply(org, row.chatroom_id)).toMatchObject({ to: `+${PHONE}`, recipient: 'MY.5' })
  })

  it('does not go to a phone that the customer gave up, though the contact still has it', async () => {
    const org = await orgOfTwoPortfolios()
    const room = await createRoom(db, org)
    const changed = {
      type: 'user_changed_number',
      user_id: 'US.2',
      previous_user_id: 'US.1',
      wa_id: '15559990000',
    }
    await write(db, org, [
      text({ from: PHONE, from_user_id: 'US.1' }, 60),
      system(changed, { from: PHONE }, 30),
    ])
    expect(await reply(org, room.id)).toMatchObject({ to: '+15559990000', recipient: 'US.2' })
  })
})
