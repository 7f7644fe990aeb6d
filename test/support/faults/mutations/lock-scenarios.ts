import { setTimeout as sleep } from 'node:timers/promises'
import { eventually, PATIENCE_MS } from '../../patience.ts'
import { drain } from '../lab/drain.ts'
import { merged } from '../lab/kinds/people.ts'
import type { Lab } from '../lab/lab.ts'
import { whileLocked } from '../lab/lock.ts'
import { HOLD, type LabNumber } from '../lab/orgs.ts'
import type { LabPerson } from '../lab/population.ts'
import type { LoadMessage } from '../lab/writer.ts'
import { seededRandom } from '../random.ts'
import { killWorkers, type Scenario, startWorkers, whileWritesWait } from './scenarios.ts'

/** The customer of one person is locked, and this person brings a new name; meanwhile strangers write. */
export const onePersonIsLocked: Scenario = async (lab, report) => {
  const { person, number } = lab.population.returners.find(({ number: { orgId } }) => orgId === HOLD.id)!
  const lock = `select from customers where id = any(array(
    select customer_id from contacts where org_id = '${HOLD.id}' and phone = '+${person.waId}')) for update`
  await whileLocked(lab, lock, async () => {
    await post(lab, number, { ...person, userId: 'US.5550001' })
    await eventually(() => somebodyWaits(lab, 'for update of c'))
    const messages: LoadMessage[] = []
    for (const n of [1, 2, 3])
      messages.push(await post(lab, number, { waId: `1553999000${n}`, userId: undefined }))
    const end = await eventually(async () => {
      if (await areStored(lab, messages)) return 'stored'
      return (await somebodyWaits(lab, 'pg_advisory_xact_lock')) && 'waits'
    })
    if (end === 'waits') report.add('othersDoNotWait', 'messages of strangers')
  })
}

async function post({ meta }: Lab, number: LabNumber, person: LabPerson): Promise<LoadMessage> {
  const message = meta.writer.keep(number, person)
  await meta.post(meta.writer.pack(number, [{ message, ghost: false }]))
  return message
}

async function areStored({ db }: Lab, messages: LoadMessage[]): Promise<boolean> {
  const wamids = messages.map(({ wamid }) => wamid)
  const { rows } = await db.$client.query('select from messages where wamid = any($1)', [wamids])
  return rows.length === messages.length
}

/** Whether a statement with this text waits for a lock. */
async function somebodyWaits({ db }: Lab, text: string): Promise<boolean> {
  const { rows } = await db.$client.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and position($1 in query) > 0
     and pid <> pg_backend_pid() and datname = current_database()`,
    [text],
  )
  return rows.length > 0
}

const PEOPLE = 8

/** People write under several names for the first time, and all that they write is routed at the same moment. */
export const strangersAtOnce: Scenario = async (lab) => {
  const { population, meta } = lab
  const source = { random: seededRandom(lab.seed), population, writer: meta.writer }
  await whileWritesWait(lab, async () => {
    for (let i = 0; i < PEOPLE; i += 1) for (const one of merged(source)) await meta.post(one)
  })
}

const ROUNDS = 6
const DELIVERIES = 12
const DELIVERIES_BEFORE = 80

/** Deliveries that share some of their customers, all routed at the same moment. Their names are known by then. */
export const customersInCommon: Scenario = async (lab) => {
  await lab.meta.deliver(DELIVERIES_BEFORE)
  await drain(lab, { withinMs: PATIENCE_MS, skipWaits: false })
  for (let round = 0; round < ROUNDS; round += 1)
    await whileWritesWait(lab, async () => {
      for (let i = 0; i < DELIVERIES; i += 1) await lab.meta.deliver(1)
    })
}

const LOCKED_MS = 45_000

/** A lock on a table outlasts more tries than a delivery has that kills its worker; each try is short. */
export const longLock: Scenario = async (lab) => {
  const name = new URL(lab.databaseUrl).pathname.slice(1)
  await lab.db.$client.query(`alter database ${name} set lock_timeout = '200ms'`)
  await killWorkers(lab)
  await startWorkers(lab)
  await whileLocked(lab, 'lock table messages', async () => {
    await lab.meta.deliver(3)
    for (const end = performance.now() + LOCKED_MS; performance.now() < end; await sleep(1_000)) {
      await lab.db.$client.query(
        `update inbox set requeues = 100, due_at = now()
         where id in (select id from inbox where state = 'new' for update skip locked)`,
      )
      const { rows } = await lab.db.$client.query(`select from inbox where state = 'dead'`)
      if (rows.length > 0) return
    }
  })
}
