import { describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { accountFor } from '../support/faults/checks/account.ts'
import type { Evidence } from '../support/faults/checks/evidence.ts'
import { PostedRecord } from '../support/faults/checks/posted-record.ts'
import type { Kind } from '../support/faults/checks/rules.ts'
import { publishFigure } from '../support/figures.ts'
import type { AcceptedSend } from '../support/graph-server.ts'
import { deliver, store } from '../support/inbox.ts'
import { DROP_KEYS_OF_MONTHS } from '../support/ledger.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

const [ACTIVE, EXPIRED] = ['15550002001', '15550002002']

type Run = TestDatabase & {
  evidence: Evidence & { accepted: AcceptedSend[] }
  record: PostedRecord
  org: TestOrg
  phone: string
}

/** Three messages to an active chatroom and one to an expired one, routed and answered as they should be. */
async function routedMessages(): Promise<Run> {
  const database = await createTestDatabase()
  const { db, url } = database
  const org = await createSendingOrg(db)
  const phone = org.phones[0]!
  await createRoom(db, org, { customer: `+${ACTIVE}` })
  await createRoom(db, org, { customer: `+${EXPIRED}`, expiredAt: new Date(Date.now() - 1_000) })
  const record = new PostedRecord()
  const bodies = [ACTIVE, ACTIVE, ACTIVE, EXPIRED].map((from) => post(phone, message({ from })))
  for (const body of bodies) {
    record.add(body)
    record.acknowledge(body)
  }
  await deliver(db, ...bodies)
  const { rows } = await db.$client.query<{ id: string }>(`update outbox set state = 'sent' returning id`)
  const accepted = rows.map(({ id }) => ({
    callback: id,
    phoneId: phone,
    to: `+${EXPIRED}`,
    wamid: 'wamid.SENT.1',
    confirmed: true,
  }))
  const evidence = { db, databaseUrl: url, posted: await record.messages(db), accepted }
  return { ...database, evidence, record, org, phone }
}

const query = (statement: string) => (run: Run) => run.pool.query(statement)
const ONE = `(select wamid from messages where route = 'active' limit 1)`

/** What could have gone wrong, how that is counted, and how it comes about. */
const HARMS: [harm: string, kind: Kind, plant: (run: Run) => unknown][] = [
  ['a stored message that vanishes', 'lost', query(`delete from messages where wamid = ${ONE}`)],
  [
    'an auto-reply that vanishes',
    'lost',
    ({ pool, evidence }) => {
      evidence.accepted.length = 0
      return pool.query('delete from outbox')
    },
  ],
  [
    'a message stored twice',
    'doubled',
    query(`
    ${DROP_KEYS_OF_MONTHS};
    insert into messages select * from messages where wamid = ${ONE}`),
  ],
  [
    'a second active chatroom',
    'doubled',
    async ({ db, pool, org }) => {
      await pool.query('drop index chatrooms_one_active')
      await createRoom(db, org, { customer: `+${ACTIVE}` })
    },
  ],
  [
    'a second auto-reply',
    'doubled',
    query(`
    drop index outbox_one_auto_reply;
    insert into outbox (org_id, id, kind, chatroom_id, customer_id, waba_phone_id, in_reply_to, payload)
    select org_id, gen_random_uuid(), kind, chatroom_id, customer_id, waba_phone_id, in_reply_to, payload from outbox`),
  ],
  ['a reply that Meta accepts twice', 'doubled', ({ evidence: { accepted } }) => accepted.push(accepted[0]!)],
  [
    'a message in the chatroom of another customer',
    'misplaced',
    query(`
    alter table messages drop constraint messages_land_with_their_own_sender_and_number;
    update messages set chatroom_id = (select id from chatrooms where expired_at is not null) where wamid = ${ONE}`),
  ],
  [
    'a message stored with another number',
    'misplaced',
    query(`
    alter table messages drop constraint messages_land_with_their_own_sender_and_number;
    update messages set waba_phone_id = 'another' where wamid = ${ONE}`),
  ],
  [
    'a reply to another sender',
    'misplaced',
    ({ evidence: { accepted } }) => {
      accepted[0]!.to = `+${ACTIVE}`
    },
  ],
  ['a message that was never posted', 'invented', ({ db, phone }) => deliver(db, post(phone, message({})))],
  [
    'an auto-reply to a message in an active chatroom',
    'invented',
    query(`
    update outbox set in_reply_to = ${ONE}`),
  ],
  [
    'a text that was changed',
    'wrong',
    query(`
    update messages set payload = '{"text":{"body":"changed"}}' where wamid = ${ONE}`),
  ],
  [
    'a delivery that still waits',
    'wrong',
    async ({ db, phone, record, evidence }) => {
      const body = post(phone, message({ from: ACTIVE }))
      record.add(body)
      record.acknowledge(body)
      evidence.posted = await record.messages(db)
      await store(db, body)
    },
  ],
]

describe('the account of a run', () => {
  it('has what was acknowledged, and nothing lost, doubled, misplaced or invented', async () => {
    const { evidence } = await routedMessages()
    const account = { acknowledged: 4, lost: 0, doubled: 0, misplaced: 0, invented: 0 }
    expect(await accountFor(evidence)).toEqual(account)
  })

  it.each(HARMS)('fails on %s: it counts as %s', async (_harm, kind, plant) => {
    const run = await routedMessages()
    await plant(run)
    await expect(accountFor(run.evidence)).rejects.toThrow(
      new RegExp(`^VIOLATED: .* \\(${kind}: \\d+\\)`, 'm'),
    )
  })

  it('excuses a message that must end as a dead letter, and fails when it does not', async () => {
    const run = await routedMessages()
    const letter = message({ from: ACTIVE })
    const body = post(run.phone, letter)
    run.record.add(body)
    run.record.acknowledge(body)
    const evidence = {
      ...run.evidence,
      posted: await run.record.messages(run.db),
      deadLetters: new Set([letter.id]),
    }
    await expect(accountFor(evidence)).rejects.toThrow('(lost: 1)')
    const [id] = await store(run.db, body)
    await run.pool.query(`update inbox set state = 'dead', error = 'for the test' where id = $1`, [id])
    expect(await accountFor(evidence)).toMatchObject({ acknowledged: 5, lost: 0 })
  })
})

describe('a message whose acceptance Meta confirmed', () => {
  it('may be unknown when its sender was ended while it held the claim, and at no other time', async () => {
    const { evidence, pool } = await routedMessages()
    const { rows } = await pool.query(
      `update outbox set state = 'unknown', claimed_at = now() - interval '5 seconds' returning claimed_at`,
    )
    const claimedAt = rows[0].claimed_at.getTime()
    const endedAfter = (ms: number) => accountFor({ ...evidence, workerEnds: [claimedAt + ms] })
    expect(await endedAfter(1_000)).toMatchObject({ acknowledged: 4 })
    await expect(endedAfter(-1_000)).rejects.toThrow('is unknown')
    await expect(endedAfter(61_000)).rejects.toThrow('is unknown')
    await expect(accountFor(evidence)).rejects.toThrow('is unknown')
  })
})

describe('a figure', () => {
  const account = { lost: 0, doubled: 0, misplaced: 0, invented: 0 }

  it.each(['lost', 'doubled', 'misplaced', 'invented'])('is not published when anything was %s', (kind) => {
    const figure = { of: 'cases', n: 1, account: { ...account, [kind]: 1 } }
    expect(() => publishFigure(1, figure)).toThrow(`"${kind}":1`)
  })

  it('is not published when any case was wrong', () => {
    expect(() => publishFigure(1, { of: 'cases', n: 1, wrong: ['a case'] })).toThrow('a case')
  })
})
