import { expect, it } from 'vitest'
import { previewSweep } from '../../src/lifecycle/preview-sweep.ts'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { NO_CHANGES } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

it('a preview gives the changes of the next sweep, and changes nothing', async () => {
  const { db } = await createTestDatabase()
  const both = await createOrg(db, { inactivity_days: 30, expiry_days: 60 }, { phones: 2 })
  const one = await createOrg(db, { inactivity_days: 5 })
  const idle = await createOrg(db, { inactivity_days: 300 })
  const old = { contactCreatedAt: ago(61), activatedAt: ago(61) }
  await createRoom(db, both, { ...old, customer: '+15550000001' })
  await createRoom(db, both, { ...old, customer: '+15550000002', phone: both.phones[1]! })
  await createRoom(db, both, { ...old, customer: '+15550000003', deactivatedAt: ago(3) })
  await createRoom(db, both, { activatedAt: ago(40), customer: '+15550000004' })
  const early = await createRoom(db, both, { ...old, customer: '+15550000005' })
  await db.$client.query('update chatrooms set expired_at = now() where id = $1', [early.id])
  for (const org of [one, idle]) await createRoom(db, org, { activatedAt: ago(40) })
  const expected = new Map([
    [both.id, { contactsExpired: 4, chatroomsExpired: 3, chatroomsDeactivated: 1 }],
    [one.id, { ...NO_CHANGES, chatroomsDeactivated: 1 }],
  ])
  expect(await previewSweep(db, undefined)).toEqual(expected)
  expect(await previewSweep(db, ago(50))).toEqual(new Map())
  expect(await previewSweep(db, undefined)).toEqual(expected)
  expect((await sweep(db, undefined)).changes).toEqual(expected)
  expect(await previewSweep(db, undefined)).toEqual(new Map())
})
