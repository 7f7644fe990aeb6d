import { describe, expect, it } from 'vitest'
import { deactivateInactive } from '../../src/lifecycle/deactivate-inactive.ts'
import { expireOld } from '../../src/lifecycle/expire-old.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventsOfOrg } from '../support/events.ts'
import { readRoom } from '../support/inbox.ts'
import { addRoom, later, NO_CHANGES } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

async function contactExpiry(id: string): Promise<Date | null> {
  const { rows } = await db.$client.query('select expired_at from contacts where id = $1', [id])
  return rows[0].expired_at
}

describe('the expiry sweep', () => {
  it('expires a contact and all its chatrooms, active or deactivated, as of the due time of the contact', async () => {
    const org = await createOrg(db, { expiry_days: 60 }, { phones: 3 })
    const created = ago(61)
    const room = await createRoom(db, org, { contactCreatedAt: created })
    const deactivated = await addRoom(db, org, room, { phone: org.phones[1]!, deactivatedAt: ago(5) })
    const young = await createRoom(db, org, { phone: org.phones[2]! })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...NO_CHANGES, contactsExpired: 1, chatroomsExpired: 2 })
    const at = later(created, 60)
    expect(await contactExpiry(room.contactId)).toEqual(at)
    for (const { id } of [room, deactivated])
      expect(await readRoom(db, org.id, id)).toMatchObject({ state: 'expired', expired_at: at })
    expect(await readRoom(db, org.id, young.id)).toMatchObject({ state: 'active' })
    const ids = { contact_id: room.contactId, customer_id: room.customerId }
    const audit = { actor: 'sweep', reason: 'contact older than 60 days', ...ids }
    const after = { state: 'expired', at: at.toISOString() }
    const events = await eventsOfOrg(db, org.id, 'chatroom.%', 'contact.%')
    expect(events).toHaveLength(3)
    expect(events).toEqual(
      expect.arrayContaining([
        { ...audit, kind: 'contact.expired', chatroom_id: null, before: { state: 'living' }, after },
        { ...audit, kind: 'chatroom.expired', chatroom_id: room.id, before: { state: 'active' }, after },
        {
          ...audit,
          kind: 'chatroom.expired',
          chatroom_id: deactivated.id,
          before: { state: 'deactivated' },
          after,
        },
      ]),
    )
  })

  it('keeps the expiry time of a chatroom that expired before its contact', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    const earlier = ago(7)
    await db.$client.query('update chatrooms set expired_at = $2 where id = $1', [room.id, earlier])
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...NO_CHANGES, contactsExpired: 1 })
    expect((await readRoom(db, org.id, room.id)).expired_at).toEqual(earlier)
  })

  it('expires a contact that has no chatroom', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const { id, contactId } = await createRoom(db, org, { contactCreatedAt: ago(61) })
    await db.$client.query('delete from chatrooms where org_id = $1 and id = $2', [org.id, id])
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toEqual({ ...NO_CHANGES, contactsExpired: 1 })
    expect(await contactExpiry(contactId)).not.toBe(null)
  })

  it('has precedence over inactivity, whichever sweep runs first', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61), activatedAt: ago(61) })
    await deactivateInactive(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
    await expireOld(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired', deactivated_at: null })
    await deactivateInactive(db, undefined)
    expect((await eventsOfOrg(db, org.id, 'chatroom.%', 'contact.%')).map((e) => e.kind).sort()).toEqual([
      'chatroom.expired',
      'contact.expired',
    ])
  })

  it('is final: no statement can undo or move the expiry of a chatroom or a contact', async () => {
    const org = await createOrg(db, { expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(61) })
    await sweep(db, undefined)
    const rows: [string, string][] = [
      ['chatrooms', room.id],
      ['contacts', room.contactId],
    ]
    for (const [table, id] of rows) {
      for (const value of ['null', 'now()'])
        await expect(
          db.$client.query(`update ${table} set expired_at = ${value} where id = $1`, [id]),
        ).rejects.toThrow('expired is final')
    }
    await db.$client.query('update chatrooms set activated_at = now(), deactivated_at = null where id = $1', [
      room.id,
    ])
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
  })
})
