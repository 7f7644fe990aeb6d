import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { startTestApi, type TestApi } from '../support/api.ts'
import { createLabDatabase } from '../support/faults/lab/database.ts'
import { type FaultyPostgres, startFaultyPostgres } from '../support/faults/lab/postgres.ts'
import { rounds } from '../support/figures.ts'
import { deliver } from '../support/inbox.ts'
import { loggedIn, startOps } from '../support/ops.ts'
import { createOrg, type TestOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { message, post } from '../support/webhooks.ts'

let folder: string
let server: FaultyPostgres
let database: Database
let org: TestOrg
let api: TestApi
let consoleUrl: string

/** What the server has of a customer after it crashed and started again; the pool may lose a connection more. */
async function afterCrash(from: string) {
  await server.crash()
  const text = `select c.id as contact, c.customer_id as customer, r.id as room from customer_aliases a
    join contacts c on c.org_id = a.org_id and c.customer_id = a.customer_id
    join chatrooms r on r.org_id = c.org_id and r.contact_id = c.id
    where a.org_id = $1 and a.value = $2`
  return eventually(async () => (await database.db.$client.query(text, [org.id, from])).rows)
}

/** FAULT_ROUNDS multiplies them: each crash takes seconds. */
const CRASHES = rounds(2)
const strangers = Array.from({ length: 2 * CRASHES }, (_, i) => `1555000${1000 + i}`)

describe('a crash of PostgreSQL', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usher-lost-commits-'))
    await chmod(folder, 0o755)
    server = await startFaultyPostgres(folder)
    const lab = await createLabDatabase(server.url)
    // The server writes commits that nobody waits for to the disk as late as it can.
    await lab.db.$client.query(`alter system set wal_writer_delay = '10s'`)
    await lab.db.$client.query('select pg_reload_conf()')
    await lab.close()
    database = openDatabase(lab.url, { max: 4, name: 'test', onLost: () => {} })
    org = await createOrg(database.db, { unknown_sender: 'create' })
    api = await startTestApi(database.db)
    consoleUrl = `${await startOps(database.db)}/console`
  })

  afterAll(async () => {
    await database.close()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('undoes no contact, customer or chatroom that an answer of the API has shown', async () => {
    for (const from of strangers.slice(0, CRASHES)) {
      await deliver(database.db, post(org.phones[0]!, message({ from })))
      const shown = await api.call('GET', `/v1/org/${org.id}/customer?phone=${from}`)
      const [row] = await afterCrash(from)
      expect(row).toMatchObject({ contact: shown.body.contacts[0].id, customer: shown.body.customer_id })
    }
  })

  it('undoes nothing that a page of the console has shown', async () => {
    for (const from of strangers.slice(CRASHES)) {
      await deliver(database.db, post(org.phones[0]!, message({ from })))
      const { body } = await loggedIn(`${consoleUrl}/customer?q=${from}&org=${org.id}`)
      const [row] = await afterCrash(from)
      expect(row?.room).toBeDefined()
      expect(body).toContain(`room-${row?.room}`)
    }
  })
})
