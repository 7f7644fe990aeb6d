import { describe, expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { markEnded, markSent, requeueSend } from '../../src/outbound/end-send.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

async function chat() {
  const org = await createSendingOrg(db)
  const room = await createRoom(db, org, { lastInboundAt: ago(0) })
  const path = `/v1/org/${org.id}/chatroom/${room.id}/messages`
  const send = async (body = 'hi') =>
    (await api.call('POST', path, { body: { origin: 'AGENT', text: { body } } })).body
  const list = async (query = '') => (await api.call('GET', `${path}${query}`)).body.messages
  return { org, room, path, send, list }
}

const row = (org: TestOrg, { id }: { id: string }) => ({
  ...{ org: org.id, id, createdAt: new Date() },
  remotePhoneId: org.phones[0]!,
})

function status(org: TestOrg, id: string, name: string, errors?: object[]) {
  const item = { id, status: name, timestamp: '1790416832', ...(errors && { errors }) }
  return deliver(db, bytes(delivery([change(org.phones[0]!, { statuses: [item] })])))
}

describe('a message that Usher sends', () => {
  it('keeps the id that the answer gave, beside the wamid, in list and events', async () => {
    const { org, send, list } = await chat()
    const sent = await send()
    expect(sent).toMatchObject({ wamid: `outbox:${sent.id}`, status: 'queued', retry_of: null })
    await claimOf(db, org.id)
    await run(db, markSent(row(org, sent), 'wamid.TRACED'))
    expect(await list()).toMatchObject([{ id: sent.id, wamid: 'wamid.TRACED', status: 'sent' }])
    await status(org, 'wamid.TRACED', 'delivered')
    expect(await list()).toMatchObject([{ id: sent.id, wamid: 'wamid.TRACED', status: 'delivered' }])
    expect(await eventsOfOrg(db, org.id, 'message.queued')).toMatchObject([{ after: { id: sent.id } }])
  })

  it('keeps its id and its status when its row of the outbox is purged', async () => {
    const { org, send, list } = await chat()
    const sent = await send()
    await claimOf(db, org.id)
    await run(db, markSent(row(org, sent), 'wamid.PURGED'))
    await db.$client.query('delete from outbox where org_id = $1', [org.id])
    expect(await list()).toMatchObject([{ id: sent.id, wamid: 'wamid.PURGED', status: 'sent' }])
  })

  it('is queued, sending, waiting for another try, failed or unknown, each with its reason', async () => {
    const { org, send, list } = await chat()
    const sent = await send()
    await claimOf(db, org.id)
    expect(await list()).toMatchObject([{ status: 'sending', status_reason: null, next_try_at: null }])
    await run(db, requeueSend(row(org, sent), 1, 'Graph error 131056 (HTTP 400)', 0))
    expect(await list()).toMatchObject([{ status: 'queued', status_reason: 'Graph error 131056 (HTTP 400)' }])
    await claimOf(db, org.id)
    await run(db, requeueSend(row(org, sent), 2, 'Graph error 131056 (HTTP 400)', 60_000))
    const [waiting] = await list()
    expect(waiting).toMatchObject({ status: 'waiting', status_reason: 'Graph error 131056 (HTTP 400)' })
    expect(Date.parse(waiting.next_try_at) - Date.now()).toBeGreaterThan(30_000)
    await run(db, markEnded(row(org, sent), 'unknown', 'no reply: ECONNRESET'))
    expect(await list()).toMatchObject([{ status: 'unknown', status_reason: 'no reply: ECONNRESET' }])
    const other = await send()
    await run(db, markEnded(row(org, other), 'failed', 'Graph error 131053 (HTTP 400)'))
    const [failed] = await list()
    expect(failed).toMatchObject({
      status: 'failed',
      status_reason: 'Graph error 131053 (HTTP 400)',
      next_try_at: null,
    })
  })

  it('that waits for its number, its rate or an earlier message says so', async () => {
    const { org, send, list } = await chat()
    for (let i = 0; i < 12; i += 1) await send(`${i}`)
    for (let i = 0; i < 10; i += 1) {
      const [claimed] = await claimOf(db, org.id)
      await run(db, markSent(claimed!, `wamid.RATE.${org.id}.${i}`))
    }
    await claimOf(db, org.id)
    const [last, next] = await list()
    expect(next).toMatchObject({
      status: 'waiting',
      status_reason: 'the rate of this number and customer is used up',
    })
    expect(last).toMatchObject({
      status: 'waiting',
      status_reason: 'an earlier message to this customer waits',
    })
    expect(Date.parse(next.next_try_at)).toBeGreaterThan(Date.now())
    await db.$client.query(
      `update waba_phones set stopped_at = now(), stopped_reason = 'Graph error 190' where org_id = $1`,
      [org.id],
    )
    const [stopped] = await list()
    expect(stopped).toMatchObject({
      ...{ status: 'waiting', status_reason: 'the number is stopped: Graph error 190', next_try_at: null },
    })
  })

  it('is listed by its status, page by page, and only in its chatroom', async () => {
    const { org, send, list, path } = await chat()
    await deliver(db, post(org.phones[0]!, message({})))
    const all = [await send(), await send(), await send(), await send()]
    for (const one of all.slice(0, 3)) await run(db, markEnded(row(org, one), 'failed', 'no'))
    const failed = await list('?status=failed&limit=2')
    expect(failed.map(({ id }: { id: string }) => id)).toEqual([all[2].id, all[1].id])
    const { body } = await api.call('GET', `${path}?status=failed&limit=2`)
    const rest = await list(`?status=failed&limit=2&before=${body.next_before}`)
    expect(rest.map(({ id }: { id: string }) => id)).toEqual([all[0].id])
    expect(await list('?status=queued')).toMatchObject([{ id: all[3].id }])
    expect(await list('?status=read')).toEqual([])
    expect((await api.call('GET', `${path}?status=lost`)).status).toBe(422)
  })

  it('that failed by a status of Meta shows its code and title', async () => {
    const { org, send, list } = await chat()
    const sent = await send()
    await claimOf(db, org.id)
    await run(db, markSent(row(org, sent), 'wamid.UNDELIVERABLE'))
    await status(org, 'wamid.UNDELIVERABLE', 'failed', [{ code: 131026, title: 'Message undeliverable' }])
    expect(await list('?status=failed')).toMatchObject([
      { id: sent.id, status_reason: '131026 Message undeliverable' },
    ])
  })
})

it('a message of the customer has no id of a send, no status and no reason', async () => {
  const { org, list } = await chat()
  await deliver(db, post(org.phones[0]!, message({})))
  expect(await list()).toMatchObject([{ id: null, status: null, status_reason: null, next_try_at: null }])
})
