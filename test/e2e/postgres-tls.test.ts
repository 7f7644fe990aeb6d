import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrateCommand } from '../../src/cli/migrate.ts'
import { SetupError } from '../../src/config.ts'
import { refuseMistakes } from '../../src/db/prove-connections.ts'
import { accessDatabase } from '../../src/db/url.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestDatabase } from '../support/database.ts'
import { createOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { postDelivery } from '../support/post.ts'
import { startProcess, startUsher } from '../support/process.ts'
import { runCommand } from '../support/run-command.ts'
import { message, post } from '../support/webhooks.ts'

const META = { META_APP_SECRET: 's', META_VERIFY_TOKEN: 'w', PORT: '0', OPS_PORT: '0', HOST: '127.0.0.1' }
const { url, db, pool } = await createTestDatabase()
const ca = createAuthority()
const otherCa = createAuthority()
const folder = mkdtempSync(join(tmpdir(), 'usher-tls-'))

/** The database's URL by a host name and with the parameters of libpq. */
function urlOf(hostname: string, parameters: Record<string, string>): string {
  return Object.assign(new URL(url), { hostname, search: String(new URLSearchParams(parameters)) }).href
}

async function refusalOf(hostname: string, parameters: Record<string, string>): Promise<string | undefined> {
  const databaseUrl = urlOf(hostname, parameters)
  const config = { databaseUrl, databaseDirectUrl: undefined, databasePipeline: true }
  const access = await accessDatabase(config, () => undefined)
  try {
    await refuseMistakes(access)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(SetupError)
    return (error as Error).message
  }
}

/** PostgreSQL reads a key that only its own user may read. */
async function switchTlsOn(): Promise<void> {
  const { certificate, key } = ca.sign('server', 'DNS:localhost')
  const { rows } = await pool.query('show data_directory')
  const { uid, gid } = statSync(rows[0].data_directory)
  chmodSync(folder, 0o755)
  for (const [from, name] of [
    [certificate, 'server.pem'],
    [key, 'server.key'],
  ] as const) {
    copyFileSync(from, join(folder, name))
    chmodSync(join(folder, name), 0o600)
    if (process.getuid?.() === 0) chownSync(join(folder, name), uid, gid)
  }
  await pool.query(`alter system set ssl_cert_file = '${folder}/server.pem'`)
  await pool.query(`alter system set ssl_key_file = '${folder}/server.key'`)
  await pool.query('alter system set ssl = on')
  await pool.query('select pg_reload_conf()')
  await eventually(async () => (await pool.query('show ssl')).rows[0].ssl === 'on')
}

describe('a PostgreSQL without TLS', () => {
  it('is refused where sslmode asks for TLS, and taken where it does not', async () => {
    expect(await refusalOf('localhost', { sslmode: 'require' })).toMatch(
      /does not speak TLS.*sslmode=disable/,
    )
    expect(await refusalOf('localhost', { sslmode: 'disable' })).toBeUndefined()
  })
})

describe('a PostgreSQL with a certificate for localhost', () => {
  beforeAll(switchTlsOn)
  afterAll(async () => {
    for (const name of ['ssl', 'ssl_cert_file', 'ssl_key_file'])
      await pool.query(`alter system reset ${name}`)
    await pool.query('select pg_reload_conf()')
    rmSync(folder, { recursive: true })
  })

  const [own, other] = [ca, otherCa].map(({ certificate }) => ({ sslrootcert: certificate }))
  const authorities = {
    'no authority': {},
    'its authority': own,
    'another authority': other,
    'a missing file': { sslrootcert: '/nowhere.pem' },
  }

  it.each([
    ['disable', '127.0.0.1', 'no authority', undefined],
    ['require', '127.0.0.1', 'no authority', undefined],
    ['require', '127.0.0.1', 'its authority', undefined],
    ['require', '127.0.0.1', 'another authority', /not signed by an authority/],
    ['verify-ca', '127.0.0.1', 'its authority', undefined],
    ['verify-ca', 'localhost', 'another authority', /not signed by an authority.*sslrootcert/],
    ['verify-full', 'localhost', 'its authority', undefined],
    ['verify-full', '127.0.0.1', 'its authority', /another host name.*sslmode=verify-ca/],
    ['verify-full', 'localhost', 'no authority', /not signed by an authority.*sslrootcert/],
    ['verify-full', 'localhost', 'a missing file', /file that DATABASE_URL names/],
  ] as const)(
    'is taken or refused by sslmode=%s at %s with %s as by libpq',
    async (mode, host, known, line) => {
      const refusal = await refusalOf(host, { sslmode: mode, ...authorities[known] })
      if (line === undefined) expect(refusal).toBeUndefined()
      else expect(refusal).toMatch(line)
    },
  )

  it('carries all connections of the whole program, of its queues and of its migrations over TLS', async () => {
    const org = await createOrg(db)
    const DATABASE_URL = urlOf('localhost', { sslmode: 'verify-full', ...own })
    expect(await runCommand(migrateCommand(), [], { DATABASE_URL })).toMatchObject({ code: 0 })
    const usher = await startUsher('all', { DATABASE_URL })
    expect(await postDelivery(usher.url, post(org.phones[0]!, message({})))).toBe(200)
    const routed = async () => (await pool.query('select from messages')).rowCount
    await expect.poll(routed).toBe(1)
    await usher.printed(/"Usher is up"/)
    const { rows } = await pool.query(
      `select a.application_name as name, s.ssl from pg_stat_activity a join pg_stat_ssl s using (pid)
       where a.datname = current_database() and a.application_name <> 'test' and a.backend_type = 'client backend'`,
    )
    expect(rows.length).toBeGreaterThan(5)
    expect(rows.filter(({ ssl }) => !ssl)).toEqual([])
    expect(usher.output()).not.toContain('SECURITY WARNING')
  })

  it('ends a start, and a command, with one line where its certificate is not accepted', async () => {
    const DATABASE_URL = urlOf('localhost', { sslmode: 'verify-full', ...other })
    const usher = startProcess('workers/main.js', ['all'], { ...META, DATABASE_URL })
    expect(await usher.exited()).toBe(1)
    const lines = usher.output().trim().split('\n')
    expect(lines).toEqual([expect.stringMatching(/certificate of PostgreSQL.*sslrootcert/)])
    const { code, output } = await runCommand(migrateCommand(), [], { DATABASE_URL })
    expect({ code, lines: output.trim().split('\n') }).toEqual({ code: 1, lines })
  })
})
