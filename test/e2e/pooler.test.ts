import { describe, expect, it } from 'vitest'
import { migrateCommand } from '../../src/cli/migrate.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { startGraph } from '../support/graph.ts'
import { createRoom, createSendingOrg, SECRETS_KEY } from '../support/org.ts'
import { findPgBouncer, keepsPreparedStatements, startPgBouncer } from '../support/pgbouncer.ts'
import { postDelivery } from '../support/post.ts'
import { startProcess, startUsher } from '../support/process.ts'
import { runCommand } from '../support/run-command.ts'
import { ago } from '../support/time.ts'
import { message, post } from '../support/webhooks.ts'

const META = { META_APP_SECRET: 's', META_VERIFY_TOKEN: 'w', PORT: '0', OPS_PORT: '0', HOST: '127.0.0.1' }
const DELIVERIES = 50
const REPLIES = 5

/** Posts deliveries to the whole program, of which some are answered automatically, and waits for their ends. */
async function expectWorks({ db }: TestDatabase, env: Record<string, string>): Promise<void> {
  const graph = await startGraph()
  const org = await createSendingOrg(db)
  const people = Array.from({ length: DELIVERIES }, (_, i) => `1555777${1000 + i}`)
  for (const from of people.slice(0, REPLIES))
    await createRoom(db, org, { customer: `+${from}`, expiredAt: ago(1) })
  expect(await runCommand(migrateCommand(), [], env)).toMatchObject({ code: 0 })
  const usher = await startUsher('all', { ...env, GRAPH_API_URL: graph.url, SECRETS_KEY })
  const bodies = people.map((from) => post(org.phones[0]!, message({ from })))
  const answers = await Promise.all(bodies.map((body) => postDelivery(usher.url, body)))
  expect(new Set(answers)).toEqual(new Set([200]))
  const count = async () => {
    const text = `select count(*)::int as n from messages where org_id = $1 and direction = 'in'`
    return (await db.$client.query(text, [org.id])).rows[0].n
  }
  await expect.poll(count).toBe(DELIVERIES)
  await expect.poll(() => graph.accepted.length).toBe(REPLIES)
  const ready = async () => (await (await fetch(`${usher.opsUrl}/ready`)).json()) as { status: string }
  await expect.poll(async () => (await ready()).status).toBe('ready')
  expect(await usher.stop()).toBe(0)
}

/** Starts the whole program, which must end by itself; gives the lines that it printed. */
async function expectRefused(env: Record<string, string>): Promise<string[]> {
  const usher = startProcess('workers/main.js', ['all'], { ...META, ...env })
  expect(await usher.exited()).toBe(1)
  return usher.output().trim().split('\n')
}

if (!findPgBouncer()) process.stderr.write('pgbouncer not found: the tests behind a pooler do not run\n')
else if (!keepsPreparedStatements())
  process.stderr.write('pgbouncer is older than 1.21: the test of its transaction mode does not run\n')

describe.runIf(findPgBouncer())(
  'behind PgBouncer in session mode, migrations, routing and sending work',
  () => {
    it('with its default configuration', async () => {
      const database = await createTestDatabase()
      await expectWorks(database, { DATABASE_URL: await startPgBouncer(database.url) })
    })

    it('when it ignores startup parameters, because the settings are none', async () => {
      const database = await createTestDatabase()
      const ignored = 'extra_float_digits,options,statement_timeout,idle_in_transaction_session_timeout'
      const DATABASE_URL = await startPgBouncer(database.url, { ignore_startup_parameters: ignored })
      await expectWorks(database, { DATABASE_URL })
    })

    it('for its pools alone, when DATABASE_DIRECT_URL leads to PostgreSQL itself', async () => {
      const database = await createTestDatabase()
      const DATABASE_URL = await startPgBouncer(database.url)
      await expectWorks(database, {
        DATABASE_URL,
        DATABASE_DIRECT_URL: database.url,
        DATABASE_PIPELINE: 'off',
      })
    })
  },
)

describe.runIf(findPgBouncer())('behind PgBouncer in transaction mode', () => {
  const transactions = { pool_mode: 'transaction', max_prepared_statements: '200' }
  const mode = keepsPreparedStatements() ? transactions : { pool_mode: 'transaction' }

  it('a process without DATABASE_DIRECT_URL ends with one line that says what to do', async () => {
    const { url } = await createTestDatabase()
    const DATABASE_URL = await startPgBouncer(url, mode)
    const lines = await expectRefused({ DATABASE_URL })
    expect(lines).toEqual([expect.stringMatching(/pooler in transaction mode.*session mode/)])
    const { code, output } = await runCommand(migrateCommand(), [], { DATABASE_URL })
    expect({ code, lines: output.trim().split('\n') }).toEqual({ code: 1, lines })
  })

  it.runIf(!keepsPreparedStatements())('that forgets prepared statements, so does one with it', async () => {
    const { url: DATABASE_DIRECT_URL } = await createTestDatabase()
    const DATABASE_URL = await startPgBouncer(DATABASE_DIRECT_URL, mode)
    const lines = await expectRefused({ DATABASE_URL, DATABASE_DIRECT_URL })
    expect(lines).toEqual([expect.stringMatching(/forgets prepared statements.*PgBouncer 1\.21/)])
  })

  it.runIf(keepsPreparedStatements())('all works with DATABASE_DIRECT_URL', async () => {
    const database = await createTestDatabase()
    const DATABASE_URL = await startPgBouncer(database.url, mode)
    await expectWorks(database, { DATABASE_URL, DATABASE_DIRECT_URL: database.url })
  })
})

describe.runIf(findPgBouncer())('a pooler that refuses the connection', () => {
  it.each([
    ['a startup parameter', { search: '?options=-c%20enable_seqscan=off' }, /no \?options=/],
    ['the user', { username: 'somebody' }, /user and database must be known to the pooler/],
  ])(
    'for %s is a mistake of the configuration, and ends the process with one line',
    async (_, part, line) => {
      const { url } = await createTestDatabase()
      const DATABASE_URL = Object.assign(new URL(await startPgBouncer(url)), part).href
      expect(await expectRefused({ DATABASE_URL })).toEqual([expect.stringMatching(line)])
    },
  )
})
