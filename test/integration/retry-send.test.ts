import { describe, expect, it } from 'vitest'
import { run } from '../../src/db/statement.ts'
import { markEnded, markSent } from '../../src/outbound/end-send.ts'
import { announced, startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, type TestRoom } from '../support/org.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const CAMPAIGN = { origin: 'CAMPAIGN', template: { name: 'sale', language: { code: 'en' } } }
const TEXT = { origin: 'AGENT', text: { body: 'hi' } }

/** A chatroom with one send that ended so. */
async function ended(state: 'failed' | 'unknown' | 'queued', body: object = TEXT, room: TestRoom = {}) {
  const org = await createSendingOrg(db)
  const { id } = await createRoom(db, org, { lastInboundAt: ago(0), ...room })
  const path = `/v1/org/${org.id}/chatroom/${id}/messages`
  const sent = (await api.call('POST', path, { body })).body
  const row = { org: org.id, id: sent.id, createdAt: new Date(), remotePhoneId: org.phones[0]! }
  if (state !== 'queued') await run(db, markEnded(row, state, 'no'))
  const retry = (call: object = {}, wamid = sent.wamid) => api.call('POST', `${path}/${wamid}/retry`, call)
  const list = async () => (await api.call('GET', path)).body.messages
  return { org, room: id, path, sent, row, retry, list }
}

describe('a message that failed', () => {
  it('is sent again as a new message, linked to the old one, which stays as it is; who asked is recorded', async () => {
    const { org, sent, retry, list } = await ended('failed')
    const { status, body } = await retry()
    expect([status, body.status, body.retry_of, body.payload]).toEqual([202, 'queued', sent.id, sent.payload])
    expect(body.id).not.toBe(sent.id)
    expect(announced).toContainEqual({ org: org.id, id: body.id })
    expect(await list()).toMatchObject([
      { id: body.id },
      { id: sent.id, status: 'failed', status_reason: 'no' },
    ])
    expect((await claimOf(db, org.id)).map(({ id }) => id)).toEqual([body.id])
    const [event] = await eventsOfOrg(db, org.id, 'message.retried')
    expect(event).toMatchObject({ actor: 'user:ann', before: { id: sent.id }, after: { id: body.id } })
  })

  it('is sent again once: a second request, also at the same time, is answered with the same message', async () => {
    const { org, retry, list } = await ended('failed')
    const replies = await Promise.all([retry(), retry(), retry()])
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1)
    expect((await retry()).body.id).toBe(replies[0]!.body.id)
    expect(await list()).toHaveLength(2)
    expect(await eventsOfOrg(db, org.id, 'message.retried')).toHaveLength(1)
  })

  it('is sent again once also when that was in an earlier month', async () => {
    const { org, retry } = await ended('failed')
    const first = (await retry()).body
    await db.$client.query(
      `update messages set sent_at = sent_at - interval '40 days' where org_id = $1 and direction = 'out'`,
      [org.id],
    )
    expect((await retry()).body.id).toBe(first.id)
  })

  it('may be named by its id too, and after a retry that failed, the retry may be sent again', async () => {
    const { org, sent, retry } = await ended('failed')
    const first = (await retry({}, sent.id)).body
    await run(db, markEnded({ org: org.id, id: first.id, createdAt: new Date() }, 'failed', 'again'))
    const second = (await retry({}, first.id)).body
    expect([second.retry_of, (await retry({}, `outbox:${sent.id}`)).body.id]).toEqual([first.id, first.id])
  })

  it('by a status of Meta is sent again too, and the statuses of the old try stay with it', async () => {
    const { org, row, sent, retry, list } = await ended('queued')
    await claimOf(db, org.id)
    await run(db, markSent(row, 'wamid.OLD'))
    await db.$client.query(
      `update messages set status = 'failed' where org_id = $1 and wamid = 'wamid.OLD'`,
      [org.id],
    )
    const { body } = await retry({}, 'wamid.OLD')
    await claimOf(db, org.id)
    await run(db, markSent({ ...row, id: body.id }, 'wamid.NEW'))
    expect(await list()).toMatchObject([
      { id: body.id, wamid: 'wamid.NEW', status: 'sent' },
      { id: sent.id, wamid: 'wamid.OLD', status: 'failed' },
    ])
  })
})

describe('a message whose outcome is unknown', () => {
  it('is sent again only when a person confirms that the customer may get it twice', async () => {
    const { org, sent, retry } = await ended('unknown')
    expect((await retry()).body.error_message).toBe('OUTCOME_IS_UNKNOWN')
    expect((await retry({ body: { confirm: false } })).status).toBe(409)
    const { status, body } = await retry({ body: { confirm: true } })
    expect([status, body.retry_of]).toEqual([202, sent.id])
    expect((await claimOf(db, org.id)).map(({ id }) => id)).toEqual([body.id])
  })
})

describe('no message is sent again', () => {
  it('that is queued, sending, sent or delivered', async () => {
    const { org, row, retry } = await ended('queued')
    const refused = async (wamid?: string) =>
      (await retry({ body: { confirm: true } }, wamid)).body.error_message
    expect(await refused()).toBe('MESSAGE_DID_NOT_FAIL')
    await claimOf(db, org.id)
    expect(await refused()).toBe('MESSAGE_DID_NOT_FAIL')
    await run(db, markSent(row, 'wamid.TAKEN'))
    expect(await refused('wamid.TAKEN')).toBe('MESSAGE_DID_NOT_FAIL')
  })

  it('of the customer, of another chatroom, of another org, or that nobody knows', async () => {
    const one = await ended('failed')
    const other = await ended('failed')
    const inbound = message({})
    await deliver(db, post(one.org.phones[0]!, inbound))
    for (const wamid of [inbound.id, other.sent.wamid, other.sent.id, 'wamid.NOBODY', '%00']) {
      expect((await one.retry({}, wamid)).status).not.toBe(202)
    }
    expect((await one.retry({}, 'wamid.NOBODY')).body.error_message).toBe('MESSAGE_NOT_FOUND')
    const path = `/v1/org/${other.org.id}/chatroom/${one.room}/messages/${one.sent.id}/retry`
    expect((await api.call('POST', path)).status).toBe(404)
  })

  it('that the chatroom, the window or the opt-out does not allow any more', async () => {
    const text = await ended('failed')
    await db.$client.query(
      `update chatrooms set last_inbound_at = now() - interval '25 hours' where id = $1`,
      [text.room],
    )
    expect((await text.retry()).body.error_message).toBe('OUTSIDE_WINDOW')
    await db.$client.query('update chatrooms set expired_at = now() where id = $1', [text.room])
    expect((await text.retry()).body.error_message).toBe('CHATROOM_IS_EXPIRED_FOR_SENDING')
    const campaign = await ended('failed', CAMPAIGN)
    await db.$client.query('update customers set opted_out_at = now() where org_id = $1', [campaign.org.id])
    expect((await campaign.retry()).body.error_message).toBe('CUSTOMER_OPTED_OUT')
  })

  it('by who may not send it: a stranger to the chatroom, or a member what a campaign sends', async () => {
    const { org, room, retry } = await ended('failed', CAMPAIGN)
    const as = { org: org.id, role: 'MEMBER', user: 'bob' }
    expect((await retry({ as })).status).toBe(403)
    await db.$client.query(
      `insert into chatroom_members (org_id, chatroom_id, user_id) values ($1, $2, 'bob')`,
      [org.id, room],
    )
    expect((await retry({ as })).body.error_message).toBe('FORBIDDEN')
  })
})

it('an auto-reply that failed is sent again into its expired chatroom, as an auto-reply', async () => {
  const org = await createSendingOrg(db)
  const { id } = await createRoom(db, org, { expiredAt: ago(1) })
  const { replies } = await deliver(db, post(org.phones[0]!, message({})))
  const row = { ...replies[0]!, createdAt: new Date() }
  await run(db, markEnded(row, 'unknown', 'no reply'))
  const path = `/v1/org/${org.id}/chatroom/${id}/messages/${row.id}/retry`
  const { status, body } = await api.call('POST', path, { body: { confirm: true } })
  expect([status, body.retry_of]).toEqual([202, row.id])
  expect(await claimOf(db, org.id)).toMatchObject([{ id: body.id, kind: 'auto_reply' }])
})
