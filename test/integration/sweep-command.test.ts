import { beforeAll, describe, expect, it } from 'vitest'
import { sweepCommand } from '../../src/cli/sweep.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { readRoom } from '../support/inbox.ts'
import { createOrg, createRoom, type TestOrg } from '../support/org.ts'
import { runCommand } from '../support/run-command.ts'
import { ago } from '../support/time.ts'

const IN_A_YEAR = ago(-365).toISOString()

let database: TestDatabase
let org: TestOrg
let idle: { id: string }
let old: { id: string }

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  org = await createOrg(db, { inactivity_days: 30, expiry_days: 60 })
  idle = await createRoom(db, org, { customer: '+15550000001', activatedAt: ago(40) })
  old = await createRoom(db, org, { customer: '+15550000002', contactCreatedAt: ago(61) })
})

const run = (...args: string[]) => runCommand(sweepCommand(), args, { DATABASE_URL: database.url })

const states = () =>
  Promise.all([idle, old].map(async ({ id }) => (await readRoom(database.db, org.id, id)).state))
const line = (...counts: number[]) => new RegExp(`^${org.id} +${counts.join(' +')}$`, 'm')

describe('the command `sweep`', () => {
  it('with --dry-run shows what would change in each org, and changes nothing', async () => {
    const { code, output } = await run('--dry-run')
    expect(output).toMatch(/^org +contacts expired +chatrooms expired +chatrooms deactivated$/m)
    expect(output).toMatch(line(1, 1, 1))
    expect(output).toContain('Nothing was changed')
    expect([code, await states()]).toEqual([0, ['active', 'active']])
  })

  it('as of a time in the future shows what would happen, and changes nothing', async () => {
    const { code, output } = await run('--at', IN_A_YEAR)
    expect(output).toContain(IN_A_YEAR)
    expect(output).toMatch(line(2, 2, 0))
    expect(output).toContain('--yes')
    expect([code, await states()]).toEqual([0, ['active', 'active']])
  })

  it('with --dry-run changes nothing, whatever --yes says', async () => {
    const { code, output } = await run('--at', IN_A_YEAR, '--yes', '--dry-run')
    expect(output).toMatch(line(2, 2, 0))
    expect([code, await states()]).toEqual([0, ['active', 'active']])
  })

  it.each(['yesterday', '2027-02-30', '2027-01-31T09:00:00', '1795300999'])(
    'refuses the time %s in one line, and changes nothing',
    async (time) => {
      const { code, output } = await run('--at', time, '--yes')
      expect(output).toMatch(/^error: option '--at <time>' argument '.*' is invalid\. Give a day, .*\n$/)
      expect([code, await states()]).toEqual([1, ['active', 'active']])
    },
  )

  it('as of a past time does what was due then', async () => {
    const { code, output } = await run('--at', ago(20).toISOString())
    expect(output).toContain('Nothing changed')
    expect([code, await states()]).toEqual([0, ['active', 'active']])
  })

  it('sweeps as of now', async () => {
    const { code, output } = await run()
    expect(output).toMatch(line(1, 1, 1))
    expect(output).toContain('Purged 0 idempotency key(s)')
    expect([code, await states()]).toEqual([0, ['deactivated', 'expired']])
  })

  it('as of a time in the future sweeps with --yes', async () => {
    const { code, output } = await run('--at', IN_A_YEAR.slice(0, 10), '--yes')
    expect(output).toMatch(line(1, 1, 0))
    expect([code, await states()]).toEqual([0, ['expired', 'expired']])
  })
})
