import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { OutboxRow } from '../../src/db/schema/index.ts'
import { run } from '../../src/db/statement.ts'
import { requeueSend } from '../../src/outbound/end-send.ts'
import { endStrandedSends } from '../../src/outbound/end-stranded-sends.ts'
import { createGraph } from '../../src/outbound/graph.ts'
import { encryptSecret } from '../../src/secrets.ts'
import { createTestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { accepts, type Reply, refuses, replies } from '../support/graph-server.ts'
import { deliver, readMessage } from '../support/inbox.ts'
import { createOrg, createRoom, provisionOrg, type TestOrg } from '../support/org.ts'
import { PATIENCE_MS, SLOWNESS } from '../support/patience.ts'
import { claimOf, sendNow } from '../support/sender.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const KEY = randomBytes(32)
const { db } = await createTestDatabase()

/** An org whose customer has just written to an expired chatroom: one auto-reply is queued. */
async function oneReply(options: { token?: boolean } = {}) {
  const org = await createOrg(db, { auto_reply_text: 'closed' })
  if (options.token !== false) {
    const token = encryptSecret('the-token', KEY, `${org.id}/${org.wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, token])
  }
  const room = await createRoom(db, org, { expiredAt: new Date(Date.now() - 1000) })
  const m = message({})
  const { replies } = await deliver(db, post(org.phones[0]!, m))
  return { org, room, inReplyTo: m.id, row: replies[0]! }
}

async function sender(...script: Reply[]) {
  return senderWithin(PATIENCE_MS, ...script)
}

/** A sender whose requests have a deadline, and the stand-in for Meta that it sends to. */
async function senderWithin(deadlineMs: number, ...script: Reply[]) {
  const graph = await startGraph(...script)
  const graphApi = createGraph({ url: graph.url, version: 'v26.0' }, deadlineMs)
  const send = (row: OutboxRow) => sendNow({ db, graph: graphApi, secretsKey: KEY }, row)
  return { graph, send }
}

async function outboxOf(row: OutboxRow) {
  const { rows } = await db.$client.query('select * from outbox where org_id = $1 and id = $2', [
    row.org,
    row.id,
  ])
  return rows[0]
}

const makeDue = (row: OutboxRow) =>
  db.$client.query(
    `update outbox set due_at = now() - interval '1 second', claimed_at = now() - interval '1 hour' where id = $1`,
    [row.id],
  )

/** Lets the next updates of a row fail as they do when PostgreSQL shuts down. */
async function refuseUpdates({ id }: OutboxRow, times: number) {
  const name = `refused_${id.replaceAll('-', '')}`
  await db.$client.query(`create sequence ${name};
    create function ${name}() returns trigger language plpgsql as $$
      begin
        if nextval('${name}') <= ${times} then raise exception 'for the test' using errcode = '57P01'; end if;
        return new;
      end $$;
    create trigger ${name} before update on outbox for each row when (old.id = '${id}') execute function ${name}()`)
}

async function outgoing(org: TestOrg) {
  const { rows } = await db.$client.query(`select * from messages where org_id = $1 and direction = 'out'`, [
    org.id,
  ])
  return rows
}

describe('an auto-reply', () => {
  it('is sent once, to the phone with a plus, with the token of the WABA and its outbox id', async () => {
    const { org, room, inReplyTo, row } = await oneReply()
    const { graph, send } = await sender(accepts)
    expect((await outgoing(org))[0]).toMatchObject({ wamid: `outbox:${row.id}`, chatroom_id: room.id })
    expect(await send(row)).toBe('accepted')
    expect(await send(row)).toBe('none')
    expect(graph.requests).toEqual([
      {
        path: `/v26.0/${org.phones[0]}/messages`,
        authorization: 'Bearer the-token',
        body: {
          messaging_product: 'whatsapp',
          recipient_type: 'individual',
          to: '+15550001111',
          type: 'text',
          text: { body: 'closed' },
          biz_opaque_callback_data: row.id,
        },
      },
    ])
    expect(await outboxOf(row)).toMatchObject({ state: 'sent', attempts: 1, in_reply_to: inReplyTo })
    expect(await outgoing(org)).toMatchObject([{ wamid: expect.stringMatching(/^wamid\.SENT/), route: null }])
  })

  it('adds the `wa_id` of the answer to the names of the customer', async () => {
    const { org, row } = await oneReply()
    const answer = {
      messages: [{ id: `wamid.S.${row.id}` }],
      contacts: [{ input: '+15550001111', wa_id: '15550001111999' }],
    }
    const { send } = await sender(replies(200, answer))
    await send(row)
    const { rows } = await db.$client.query(
      `select kind from customer_aliases where org_id = $1 and value = '15550001111999'`,
      [org.id],
    )
    expect(rows).toEqual([{ kind: 'wa_id' }])
  })

  it('is sent to the BSUID of a customer without a phone', async () => {
    const org = await createOrg(db, { auto_reply_text: 'closed', unknown_sender: 'create' })
    const token = encryptSecret('t', KEY, `${org.id}/${org.wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, token])
    await deliver(db, post(org.phones[0]!, message({ from: '', userId: 'US.77' })))
    await db.$client.query('update contacts set expired_at = now() where org_id = $1', [org.id])
    await db.$client.query('update chatrooms set expired_at = now() where org_id = $1', [org.id])
    const { replies } = await deliver(db, post(org.phones[0]!, message({ from: '', userId: 'US.77' })))
    const { graph, send } = await sender(accepts)
    await send(replies[0]!)
    expect(graph.requests[0]?.body).toMatchObject({ recipient: 'US.77' })
    expect(graph.requests[0]?.body).not.toHaveProperty('to')
  })

  it.each([
    ['a Graph error 500', refuses(2, 500), 2_000],
    ['429 with Retry-After', replies(429, { error: { code: 130429 } }, { 'retry-after': '30' }), 30_000],
    ['the error of the pair rate', refuses(131056), 4_000],
  ])('is sent again after %s, because Meta certainly did not accept it', async (_, reply, retryInMs) => {
    const { row } = await oneReply()
    const { graph, send } = await sender(reply, accepts)
    expect(await send(row)).toBe('retry')
    const { due_at, claimed_at } = await outboxOf(row)
    expect(due_at - claimed_at).toBeGreaterThanOrEqual(retryInMs)
    expect(due_at - claimed_at).toBeLessThan(retryInMs + 60_000)
    await db.$client.query(`update outbox set due_at = due_at + interval '1 hour' where id = $1`, [row.id])
    expect(await send(row)).toBe('none')
    await makeDue(row)
    expect(await send(row)).toBe('accepted')
    expect([graph.requests.length, (await outboxOf(row)).state]).toEqual([2, 'sent'])
  })

  it('is sent again after a refused connection', async () => {
    const { row } = await oneReply()
    const { graph, send } = await sender()
    graph.stop()
    expect(await send(row)).toBe('retry')
    expect(await outboxOf(row)).toMatchObject({ state: 'queued', error: 'not sent: ECONNREFUSED' })
  })

  it('fails if Meta refuses it for good, with the error in the chatroom, and is not sent again', async () => {
    const { org, row } = await oneReply()
    const { graph, send } = await sender(refuses(131047))
    expect(await send(row)).toBe('failed')
    expect(await send(row)).toBe('none')
    expect(graph.requests).toHaveLength(1)
    expect(await outgoing(org)).toMatchObject([
      { status: 'failed', errors: [{ title: 'Graph error 131047 (HTTP 400)' }] },
    ])
  })

  it.each([
    ['a reset after the request was read', (res: Parameters<Reply>[0]) => void res.socket?.resetAndDestroy()],
    ['200 with junk', replies(200, 'junk')],
    ['502 of a proxy', replies(502, '<html>')],
    ['no answer within the deadline', () => undefined],
  ])(
    'is never sent again if its outcome is unknown (%s), and a late status marks it as sent',
    async (_, reply) => {
      const { org, row } = await oneReply()
      const { graph, send } = await senderWithin(1_000 * SLOWNESS, reply)
      expect(await send(row)).toBe('unknown')
      await makeDue(row)
      expect((await endStrandedSends(db)).abandoned).toBe(0)
      expect(await send(row)).toBe('none')
      expect(graph.requests).toHaveLength(1)
      const status = {
        id: 'wamid.LATE',
        status: 'delivered',
        timestamp: '1790416832',
        biz_opaque_callback_data: row.id,
      }
      await deliver(
        db,
        bytes(
          delivery([change(org.phones[0]!, { statuses: [{ ...status, id: `${status.id}.${row.id}` }] })]),
        ),
      )
      expect(await outboxOf(row)).toMatchObject({ state: 'sent', wamid: `wamid.LATE.${row.id}` })
      expect(await outgoing(org)).toMatchObject([
        { wamid: `wamid.LATE.${row.id}`, status: 'delivered', errors: null },
      ])
    },
  )

  it('does not stop a number that got a new token while the request with the old one was under way', async () => {
    const { org, row } = await oneReply()
    const { send } = await sender(async (res, req, accept) => {
      const phones = [{ id: org.phones[0], display_phone_number: '+1 555' }]
      await provisionOrg(db, {
        id: org.id,
        wabas: [{ id: org.wabaId, name: 'x', access_token: 'new', phones }],
      })
      refuses(190, 401)(res, req, accept)
    })
    expect(await send(row)).toBe('number_refused')
    const { rows } = await db.$client.query('select stopped_at from waba_phones where org_id = $1', [org.id])
    expect([rows, (await outboxOf(row)).state]).toEqual([[{ stopped_at: null }], 'queued'])
  })

  it('stops its number and waits until the number is provisioned again if the token has expired', async () => {
    const { org, row } = await oneReply()
    const { graph, send } = await sender(refuses(190, 401), accepts)
    expect(await send(row)).toBe('number_refused')
    expect(await send(row)).toBe('none')
    expect(await outboxOf(row)).toMatchObject({ state: 'queued' })
    const fresh = encryptSecret('fresh', KEY, `${org.id}/${org.wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, fresh])
    await db.$client.query('update waba_phones set stopped_at = null where org_id = $1', [org.id])
    await makeDue(row)
    expect(await send(row)).toBe('accepted')
    expect(graph.requests.at(-1)?.authorization).toBe('Bearer fresh')
  })

  it('waits for a token, if the WABA has none, and the number is not stopped', async () => {
    const { org, row } = await oneReply({ token: false })
    const { graph, send } = await sender()
    expect(await send(row)).toBe('none')
    const fresh = encryptSecret('fresh', KEY, `${org.id}/${org.wabaId}`)
    await db.$client.query('update wabas set access_token = $2 where org_id = $1', [org.id, fresh])
    expect(await send(row)).toBe('accepted')
    expect(graph.requests).toMatchObject([{ authorization: 'Bearer fresh' }])
  })

  it.each([
    ['accepted', accepts, { state: 'sent', error: null }],
    ['failed', refuses(131047), { state: 'failed' }],
    ['retry', refuses(130429, 429), { state: 'queued' }],
    ['unknown', replies(200, 'junk'), { state: 'unknown' }],
  ])('has its outcome written again until PostgreSQL accepts it: %s', async (outcome, reply, end) => {
    const { row } = await oneReply()
    const { graph, send } = await sender(async (res, req, accept) => {
      await refuseUpdates(row, 2)
      reply(res, req, accept)
    })
    expect(await send(row)).toBe(outcome)
    expect(await outboxOf(row)).toMatchObject({ ...end, attempts: 1 })
    expect(graph.requests).toHaveLength(1)
  })

  it('counts as sent if Meta accepted it, also if its claim ended meanwhile', async () => {
    const { org, row } = await oneReply()
    const { send } = await sender(async (res, req, accept) => {
      await makeDue(row)
      await endStrandedSends(db)
      accepts(res, req, accept)
    })
    await send(row)
    expect(await outboxOf(row)).toMatchObject({ state: 'sent', error: null })
    expect(await outgoing(org)).toMatchObject([{ wamid: expect.stringMatching(/^wamid.SENT/), errors: null }])
  })

  it('is queued again only by its latest attempt, not by an earlier one', async () => {
    const { row } = await oneReply()
    await claimOf(db, row.org)
    await run(db, requeueSend(row, 1, 'not sent', 0))
    await claimOf(db, row.org)
    await run(db, requeueSend(row, 1, 'not sent', 0))
    expect(await outboxOf(row)).toMatchObject({ state: 'sending', attempts: 2 })
  })

  it('fails without a request if the window has closed', async () => {
    const { org, row } = await oneReply()
    const { graph, send } = await sender()
    await db.$client.query(
      `update chatrooms set last_inbound_at = now() - interval '24 hours' where org_id = $1`,
      [org.id],
    )
    expect(await send(row)).toBe('none')
    expect(graph.requests).toEqual([])
    expect(await outboxOf(row)).toMatchObject({ state: 'failed', error: 'OUTSIDE_WINDOW' })
    expect(await outgoing(org)).toMatchObject([{ status: 'failed', errors: [{ title: 'OUTSIDE_WINDOW' }] }])
  })
})

describe('a sender that dies', () => {
  it('after the claim leaves an unknown outcome, and the message is never sent again', async () => {
    const { org, row } = await oneReply()
    await claimOf(db, row.org)
    await db.$client.query(`update outbox set due_at = now() - interval '1 second' where id = $1`, [row.id])
    const ended: object[] = []
    expect((await endStrandedSends(db, (send) => ended.push(send))).abandoned).toBe(1)
    const reason = 'the sender died while the request was under way'
    expect(ended).toEqual([{ org: org.id, send: row.id, number: org.phones[0], reason }])
    const { graph, send } = await sender()
    expect(await send(row)).toBe('none')
    expect(graph.requests).toEqual([])
    expect((await outgoing(org))[0].errors[0].title).toContain('the sender died')
  })

  it('after the answer leaves a row that the status webhook marks as sent', async () => {
    const { org, row } = await oneReply()
    await claimOf(db, row.org)
    const status = {
      id: `wamid.Z.${row.id}`,
      status: 'sent',
      timestamp: '1790416832',
      biz_opaque_callback_data: row.id,
    }
    await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses: [status] })])))
    expect(await outboxOf(row)).toMatchObject({ state: 'sent' })
    expect(await readMessage(db, org.id, status.id)).toMatchObject({ status: 'sent', direction: 'out' })
  })
})

it('three senders with the same row send it once', async () => {
  const { row } = await oneReply()
  const { graph, send } = await sender()
  const outcomes = await Promise.all([send(row), send(row), send(row)])
  expect(outcomes.filter((o) => o === 'accepted')).toHaveLength(1)
  expect(graph.requests).toHaveLength(1)
})
