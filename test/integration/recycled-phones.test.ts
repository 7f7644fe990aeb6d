import { describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { deliver } from '../support/inbox.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { secondsAgo, system, text, write } from '../support/people.ts'
import { bytes, change, delivery } from '../support/webhooks.ts'

const { db } = await createTestDatabase()

const PHONE = '15550001111'
const by = (userId: string | undefined, ago = 0) =>
  text({ from: PHONE, ...(userId && { from_user_id: userId }) }, ago)

async function orgWithRoom() {
  const org = await createOrg(db, {}, { phones: 3, wabas: [0, 0, 1] })
  return { org, room: await createRoom(db, org) }
}

const newIdentities = (org: TestOrg) => eventsOfOrg(db, org.id, 'customer.new_identity')

describe('a known phone that writes with another BSUID at the same WABA', () => {
  it('is routed by the phone, and an event says once that it may be another person', async () => {
    const { org, room } = await orgWithRoom()
    await write(db, org, [by('US.1', 60)])
    const rows = await write(db, org, [by('US.2', 30), by('US.2'), by('US.1')], 1)
    for (const row of rows) expect(row.customer_id).toBe(room.customerId)
    expect(await newIdentities(org)).toMatchObject([
      { customer_id: room.customerId, actor: 'identity', after: { waba_id: org.wabaId } },
    ])
  })

  it('is noticed also if both ids come in one delivery', async () => {
    const { org } = await orgWithRoom()
    const messages = [by('US.1', 60), by('US.2')]
    await deliver(db, bytes(delivery([change(org.phones[0]!, { messages })])))
    expect(await newIdentities(org)).toHaveLength(1)
  })

  it('is noticed if the first id was seen before WABAs were recorded, and the org has one WABA', async () => {
    const org = await createOrg(db)
    await createRoom(db, org)
    await write(db, org, [by('US.1', 60)])
    await db.$client.query('update customer_aliases set waba_ids = null where org_id = $1', [org.id])
    await write(db, org, [by('US.2')])
    expect(await newIdentities(org)).toHaveLength(1)
  })

  it('has a mark in the console', async () => {
    const { org } = await orgWithRoom()
    const url = await startOps(db)
    const page = async () => (await loggedIn(`${url}/console/customer?q=${PHONE}&org=${org.id}`)).body
    await write(db, org, [by('US.1', 60)])
    expect(await page()).not.toContain('may be another person')
    await write(db, org, [by('US.2')])
    expect(await page()).toContain('may be another person')
  })
})

describe('a known phone is not suspected', () => {
  it('of its first BSUID, of one at another WABA, and without a BSUID', async () => {
    const { org } = await orgWithRoom()
    await write(db, org, [by(undefined), by('US.1')])
    await write(db, org, [by('GB.7'), by(undefined)], 2)
    expect(await newIdentities(org)).toEqual([])
  })

  it('if WhatsApp announced the new BSUID', async () => {
    const { org } = await orgWithRoom()
    const changed = { type: 'user_changed_user_id', user_id: 'US.2', previous_user_id: 'US.1' }
    await write(db, org, [by('US.1', 60), system(changed, { from: PHONE }, 30), by('US.2')])
    expect(await newIdentities(org)).toEqual([])
  })

  it('if the phone is new, and the report of the change named no BSUID', async () => {
    const { org } = await orgWithRoom()
    const changed = { type: 'user_changed_number', new_wa_id: 15559990000 }
    await write(db, org, [by('US.1', 60), system(changed, { from: PHONE }, 30)])
    await write(db, org, [text({ from: '15559990000', from_user_id: 'US.2' })])
    expect(await newIdentities(org)).toEqual([])
  })

  it('of a late message from before an announced change', async () => {
    const { org } = await orgWithRoom()
    const changed = { type: 'user_changed_user_id', user_id: 'US.2', previous_user_id: 'US.1' }
    await write(db, org, [by('US.1', 90), system(changed, { from: PHONE }, 30), by('US.2'), by('US.1', 60)])
    expect(await newIdentities(org)).toEqual([])
  })

  it('if the other BSUID comes in a status, or without the phone', async () => {
    const { org } = await orgWithRoom()
    await write(db, org, [by('US.1', 60), text({ from_user_id: 'US.5' })])
    const status = { recipient_id: PHONE, recipient_user_id: 'US.2', timestamp: secondsAgo(0) }
    const statuses = [{ id: 'wamid.UNKNOWN', status: 'read', ...status }]
    await deliver(db, bytes(delivery([change(org.phones[0]!, { statuses })])))
    expect(await newIdentities(org)).toEqual([])
  })
})
