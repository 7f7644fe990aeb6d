import { describe, expect, it } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createTestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { fingerprint } from '../support/leads.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { ago } from '../support/time.ts'
import { bytes, change, delivery, message, post } from '../support/webhooks.ts'

const { db } = await createTestDatabase()
const api = await startTestApi(db)

const get = (path: string, as?: Parameters<TestApi['call']>[2]) => api.call('GET', path, as)

describe('the explanation of a route', () => {
  const explain = (org: TestOrg, query: string, phone = org.phones[0]) =>
    get(`/v1/org/${org.id}/route?remote_phone_id=${phone}&${query}`)

  it('is what routing then decides, and asking for it changes nothing', async () => {
    const states = {
      active: [{}],
      reactivated: [{ deactivatedAt: ago(2) }, { deactivatedAt: ago(1) }],
      expired: [{ expiredAt: ago(2) }, { expiredAt: ago(1) }],
      held: [],
    }
    for (const [route, rooms] of Object.entries(states)) {
      const org = await createOrg(db, { auto_reply_text: 'closed' })
      for (const room of rooms) await createRoom(db, org, room)
      const before = await fingerprint(db, org.id)
      const { body } = await explain(org, 'phone=%2B15550001111')
      expect(await fingerprint(db, org.id)).toBe(before)
      expect(body.decision).toBe(route)
      const m = message({})
      await deliver(db, post(org.phones[0]!, m))
      const { rows } = await db.$client.query(
        'select route as decision, chatroom_id, reason, candidates from messages where wamid = $1',
        [m.id],
      )
      expect(body).toEqual(rows[0])
    }
  })

  it('treats an overdue deactivation as done', async () => {
    const org = await createOrg(db, { inactivity_days: 30 })
    const room = await createRoom(db, org, { activatedAt: ago(31) })
    const { body } = await explain(org, 'phone=15550001111')
    expect(body).toMatchObject({ decision: 'reactivated', chatroom_id: room.id })
    expect(body.candidates).toMatchObject([{ chatroom_id: room.id, state: 'deactivated' }])
  })

  it('announces a new chatroom for an unknown customer with `unknown_sender` = `create`, and creates none', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    const before = await fingerprint(db, org.id)
    expect((await explain(org, 'phone=15559998888')).body).toEqual({
      decision: 'created',
      chatroom_id: null,
      reason: 'no chatroom of this customer at this number; the org has one created',
      candidates: [],
    })
    expect(await fingerprint(db, org.id)).toBe(before)
  })

  it('finds a customer by BSUID', async () => {
    const org = await createOrg(db, { unknown_sender: 'create' })
    const m = message({ from: undefined, userId: 'US.123' })
    await deliver(db, bytes(delivery([change(org.phones[0]!, { messages: [m] })])))
    const { body } = await explain(org, 'user_id=US.123')
    expect(body).toMatchObject({ decision: 'active', candidates: [{ state: 'active' }] })
  })

  it('needs a number of the org, and a phone or a BSUID', async () => {
    const [org, other] = [await createOrg(db), await createOrg(db)]
    const answer = async (query: string, phone?: string) => {
      const { status, body } = await explain(org, query, phone)
      return [status, body.error_message]
    }
    expect(await answer('phone=15550001111', 'nobody')).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    expect(await answer('phone=15550001111', other.phones[0])).toEqual([404, 'WABA_PHONE_NOT_FOUND'])
    expect(await answer('')).toEqual([422, 'INVALID_INPUT'])
    expect(await answer('phone=x')).toEqual([422, 'INVALID_INPUT'])
    expect(await answer('phone=1&colour=red')).toEqual([422, 'INVALID_INPUT'])
    const { status } = await get(`/v1/org/${org.id}/route?phone=15550001111`)
    expect(status).toBe(422)
  })
})
