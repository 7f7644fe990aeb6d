import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { run, send } from '../../src/db/statement.ts'
import { markEnded, markSent } from '../../src/outbound/end-send.ts'
import { markAbandonedSends } from '../../src/outbound/stranded-sends.ts'
import { applyStatuses, type OrgStatus } from '../../src/routing/statuses.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { openTransaction, readEvents, untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { createRoom, createSendingOrg, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { claimOf } from '../support/sender.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

/** The events of an org about messages, as type and some of the data. */
async function messageEvents(org: TestOrg, ...names: string[]) {
  await untilReadable(db)
  const events = (await readEvents(api, org.id)).filter(({ type }) => type.startsWith('message.'))
  return events.map(({ type, data }) => [type, ...names.map((name) => data[name])])
}

/** A chatroom with one text that is on its way to Meta. */
async function underWay() {
  const org = await createSendingOrg(db)
  const { id: roomId } = await createRoom(db, org, { lastInboundAt: ago(0) })
  const path = `/v1/org/${org.id}/chatroom/${roomId}/messages`
  const { id } = (await api.call('POST', path, { body: { origin: 'AGENT', text: { body: 'hi' } } })).body
  await claimOf(db, org.id)
  const row = { org: org.id, id, createdAt: new Date(), remotePhoneId: org.phones[0]! }
  return { org, path, row, wamid: `wamid.${randomUUID()}` }
}

const report = (org: TestOrg, id: string, status: string, callback?: string) =>
  deliver(
    db,
    bytes(
      delivery([
        change(org.phones[0]!, {
          statuses: [{ id, status, timestamp: '1790416832', biz_opaque_callback_data: callback }],
        }),
      ]),
    ),
  )

describe('a send in the event log', () => {
  it('is sent once, whether the answer or a status says so first, and has the id that the request got', async () => {
    for (const isStatusFirst of [true, false]) {
      const { org, row, wamid } = await underWay()
      if (isStatusFirst) await report(org, wamid, 'delivered', row.id)
      await run(db, markSent(row, wamid))
      if (!isStatusFirst) await report(org, wamid, 'delivered', row.id)
      expect(await messageEvents(org, 'id', 'wamid', 'retry_of', 'status')).toEqual([
        ['message.sent', row.id, wamid, null, undefined],
        ['message.status', row.id, wamid, undefined, 'delivered'],
      ])
    }
  })

  it('whose status came before the answer is sent before it is delivered', async () => {
    const { org, row, wamid } = await underWay()
    await report(org, wamid, 'read')
    await run(db, markSent(row, wamid))
    expect(await messageEvents(org, 'status')).toEqual([
      ['message.sent', undefined],
      ['message.status', 'read'],
    ])
  })

  it('that a person repeats is a new message with the id of the old one', async () => {
    const { org, path, row, wamid } = await underWay()
    await run(db, markEnded(row, 'failed', 'no'))
    const { id } = (await api.call('POST', `${path}/${row.id}/retry`)).body
    await claimOf(db, org.id)
    await run(db, markSent({ ...row, id }, wamid))
    expect(await messageEvents(org, 'id', 'wamid', 'retry_of')).toEqual([
      ['message.status', row.id, `outbox:${row.id}`, undefined],
      ['message.sent', id, wamid, row.id],
    ])
  })

  it('of unknown outcome says so, and what a status says later; both find their chatroom', async () => {
    for (const end of ['no answer', 'dead sender']) {
      const { org, row, wamid } = await underWay()
      if (end === 'no answer') await run(db, markEnded(row, 'unknown', 'no reply'))
      else await db.$client.query('update outbox set due_at = now() where org_id = $1', [org.id])
      if (end === 'dead sender') await run(db, markAbandonedSends())
      await report(org, wamid, 'delivered', row.id)
      const events = await messageEvents(org, 'id', 'status', 'chatroom_id')
      expect(events).toEqual([
        ['message.status', row.id, 'unknown', expect.any(String)],
        ['message.sent', row.id, undefined, expect.any(String)],
        ['message.status', row.id, 'delivered', expect.any(String)],
      ])
    }
  })

  it('has its statuses in the order in which they moved, also if the later one was begun first', async () => {
    const { org, row, wamid } = await underWay()
    await run(db, markSent(row, wamid))
    const nothing = { errors: undefined, codes: [], callback: undefined, recipient: undefined }
    const of = (status: string): OrgStatus => ({
      ...{ orgId: org.id, phoneId: org.phones[0]!, wamid, status, at: new Date() },
      ...nothing,
    })
    const first = await openTransaction(db)
    const second = await openTransaction(db)
    await send(second.tx, applyStatuses([of('delivered')]))
    const waiting = send(first.tx, applyStatuses([of('read')]))
    await eventually(isSomebodyWaiting)
    await second.commit()
    await waiting
    await first.commit()
    const events = await messageEvents(org, 'status')
    expect(events.slice(1)).toEqual([
      ['message.status', 'delivered'],
      ['message.status', 'read'],
    ])
  })
})

async function isSomebodyWaiting(): Promise<boolean> {
  const { rows } = await db.$client.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  )
  return rows.length > 0
}
