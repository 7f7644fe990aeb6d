import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../patience.ts'
import { readApi } from '../lab/call-api.ts'
import { startCrm } from '../lab/crm.ts'
import type { Lab } from '../lab/lab.ts'
import { whileLocked } from '../lab/lock.ts'
import { CREATE } from '../lab/orgs.ts'
import type { Scenario } from './scenarios.ts'

const CALLS_PER_SECOND = 20
const CALLS_MS = 4_000

/** The clocks of all API processes are 31 days ahead while the CRM uses them. */
export const clocksAhead: Scenario = async (lab) => {
  for (const process of lab.receivers) process.skewClock()
  const crm = startCrm(lab, { seed: lab.seed, perSecond: CALLS_PER_SECOND })
  await sleep(CALLS_MS)
  crm.stop()
  for (const process of lab.receivers) process.setClockRight()
}

const CRASHES = 6

/**
 * PostgreSQL crashes as soon as the API has shown a contact that routing created. Nothing else makes it write to the disk:
 * jobs cannot be stored, and it writes by itself as late as it may.
 */
export const shownThenCrashed: Scenario = async (lab, report) => {
  await configure(lab, `wal_writer_delay = '10s'`)
  for (let n = 0; n < CRASHES; n += 1) {
    const phone = `1553888000${n}`
    await eventually(() => isListening(lab))
    await whileLocked(lab, 'lock table bullmq.job in share row exclusive mode', async () => {
      await postStranger(lab, phone)
      const id = await eventually(() => shownContact(lab, phone))
      await lab.postgres.crash()
      const { rows } = await lab.db.$client.query('select from contacts where id = $1', [id])
      if (rows.length === 0) report.add('shownIsKept', `the contact of a stranger, after crash ${n + 1}`)
    })
  }
  await configure(lab, 'wal_writer_delay to default')
}

/** Whether workers are notified of single deliveries: jobs cannot reach them. */
async function isListening({ db }: Lab): Promise<boolean> {
  const { rows } = await db.$client.query(
    `select from pg_stat_activity
     where application_name = 'usher-listener' and query = 'select 1' and datname = current_database()`,
  )
  return rows.length > 0
}

async function configure({ db }: Lab, setting: string): Promise<void> {
  await db.$client.query(`alter system set ${setting}`)
  await db.$client.query('select pg_reload_conf()')
}

async function postStranger({ population, meta }: Lab, waId: string): Promise<void> {
  const number = population.numbers.find(({ orgId }) => orgId === CREATE.id)!
  const message = meta.writer.keep(number, { waId, userId: undefined })
  await meta.post(meta.writer.pack(number, [{ message, ghost: false }]))
}

/** An answer about somebody whom nobody knows has no contacts. */
type Customer = { contacts?: { id: string }[] }

async function shownContact(lab: Lab, phone: string): Promise<string | false> {
  const path = `/customer?phone=${phone}`
  const { contacts } = await readApi<Customer>(lab, { orgId: CREATE.id, user: 'ann', path })
  return contacts?.[0]?.id ?? false
}
