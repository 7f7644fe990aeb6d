import { describe, expect, it } from 'vitest'
import { removeUser } from '../../src/orgs/remove-users.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { readEvents, untilReadable } from '../support/event-log.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { bytes, change, delivery, message, newWamid, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const eventsOf = async (org: TestOrg, ...types: string[]) => {
  await untilReadable(db)
  return readEvents(api, org.id, `types=${types.join(',')}`)
}

describe('a customer in the event log', () => {
  it('who calls has opened the window: the latest call counts, and a repeated delivery is no news', async () => {
    const org = await createOrg(db)
    const { customerId } = await createRoom(db, org)
    const metadata = { phone_number_id: org.phones[0] }
    const call = (timestamp: string) =>
      deliver(
        db,
        bytes(
          delivery([
            {
              field: 'calls',
              value: { metadata, calls: [{ id: 'c', from: '15550001111', event: 'connect', timestamp }] },
            },
          ]),
        ),
      )
    for (const timestamp of ['1790000100', '1790000100', '1790000000', '1790000200']) await call(timestamp)
    const events = await eventsOf(org, 'customer.called')
    expect(events.map(({ data }) => [data.remote_phone_id, data.at, data.customer.id])).toEqual(
      [1_790_000_100, 1_790_000_200].map((at) => [
        org.phones[0],
        new Date(at * 1_000).toISOString(),
        customerId,
      ]),
    )
  })

  it('to whom Meta takes no marketing messages for a day is not written to by campaigns', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org)
    const wamid = newWamid()
    await db.$client.query(
      `insert into messages (org_id, wamid, waba_phone_id, customer_id, chatroom_id, direction, type, sent_at, received_at,
         seq, reason, payload) values ($1, $2, $3, $4, $5, 'out', 'template', now(), now(), 1, 'x', '{}')`,
      [org.id, wamid, org.phones[0], room.customerId, room.id],
    )
    const at = Math.floor(Date.now() / 1_000)
    const failed = { id: wamid, status: 'failed', timestamp: String(at), errors: [{ code: 131049 }] }
    await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses: [failed] })])))
    const [event] = await eventsOf(org, 'customer.marketing_paused')
    expect(event?.data).toMatchObject({
      until: new Date((at + 86_400) * 1_000).toISOString(),
      customer: { id: room.customerId },
    })
  })

  it('who writes from another number is written to there; the first number is no change', async () => {
    const org = await createOrg(db)
    const from = (wa: string, at: number) =>
      deliver(
        db,
        post(org.phones[0]!, message({ from: wa, userId: 'US.1', at: new Date(Date.now() - at * 1_000) })),
      )
    await from('15550001111', 2)
    await from('15550001111', 1)
    await from('15550002222', 0)
    const events = await eventsOf(org, 'customer.address_changed')
    expect(events.map(({ data }) => [data.former_wa_id, data.wa_id])).toEqual([
      ['15550001111', '15550002222'],
    ])
  })

  it('whose chatroom is handed over, or whose user leaves, has an event of it', async () => {
    const org = await createOrg(db)
    const handed = await createRoom(db, org, { pendingUserId: 'bob' })
    await deliver(db, post(org.phones[0]!, message({})))
    const waiting = await createRoom(db, org, { customer: '+15550003333', pendingUserId: 'bob' })
    await removeUser(db, org.id, 'bob', 'user:ann')
    const events = await eventsOf(
      org,
      ...['chatroom.handed_over', 'chatroom.unassigned', 'chatroom.handover_cancelled', 'user.removed'],
    )
    const shown = events.map(({ type, data }) => [type, data.chatroom_id, data.customer?.id])
    expect(shown.slice(0, 2)).toEqual([
      ['chatroom.handed_over', handed.id, handed.customerId],
      ['user.removed', null, undefined],
    ])
    expect(shown).toContainEqual(['chatroom.unassigned', handed.id, handed.customerId])
    expect(shown).toContainEqual(['chatroom.handover_cancelled', waiting.id, waiting.customerId])
  })
})
