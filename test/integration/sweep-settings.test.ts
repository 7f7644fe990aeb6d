import { describe, expect, it } from 'vitest'
import { sweep } from '../../src/lifecycle/sweep.ts'
import { createTestDatabase } from '../support/database.ts'
import { readRoom } from '../support/inbox.ts'
import { later } from '../support/lifecycle.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { ago } from '../support/time.ts'

const { db } = await createTestDatabase()

async function statesIn(orgId: string): Promise<Record<string, number>> {
  const { rows } = await db.$client.query(
    'select state, count(*)::int as n from chatrooms where org_id = $1 group by state',
    [orgId],
  )
  return Object.fromEntries(rows.map((r) => [r.state, r.n]))
}

describe('the settings of an org', () => {
  it('switch a sweep off where they are null', async () => {
    const org = await createOrg(db)
    const room = await createRoom(db, org, { contactCreatedAt: ago(3_000), activatedAt: ago(3_000) })
    const { changes } = await sweep(db, undefined)
    expect(changes.get(org.id)).toBeUndefined()
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
  })

  it('apply to the next sweep after a change', async () => {
    const org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
    const room = await createRoom(db, org, { contactCreatedAt: ago(20), activatedAt: ago(20) })
    const change = (columns: string) => db.$client.query(`update orgs set ${columns} where id = $1`, [org.id])
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'active' })
    await change('inactivity_days = 10')
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'deactivated' })
    await change('inactivity_days = null, expiry_days = 10')
    await sweep(db, undefined)
    expect(await readRoom(db, org.id, room.id)).toMatchObject({ state: 'expired' })
  })

  it('have no effect on another org', async () => {
    const strict = await createOrg(db, { inactivity_days: 1 })
    const lax = await createOrg(db, { inactivity_days: 100 })
    for (const org of [strict, lax]) await createRoom(db, org, { activatedAt: ago(50) })
    await sweep(db, undefined)
    expect([await statesIn(strict.id), await statesIn(lax.id)]).toEqual([{ deactivated: 1 }, { active: 1 }])
  })
})

it('a chatroom falls due to the millisecond', async () => {
  const org = await createOrg(db, { inactivity_days: 1, expiry_days: 2 })
  const start = new Date('2026-03-28T00:30:00.123Z')
  const room = await createRoom(db, org, { contactCreatedAt: start, activatedAt: start })
  const stateAt = async (days: number, ms: number) => {
    await sweep(db, new Date(later(start, days).getTime() + ms))
    return (await readRoom(db, org.id, room.id)).state
  }
  expect([await stateAt(1, -1), await stateAt(1, 0)]).toEqual(['active', 'deactivated'])
  expect([await stateAt(2, -1), await stateAt(2, 0)]).toEqual(['deactivated', 'expired'])
})
