import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../src/db/client.ts'
import { run } from '../../src/db/embedded/system.ts'
import { migrate } from '../../src/db/migrate.ts'
import { atEndOf } from '../support/at-end.ts'
import { createOrg } from '../support/org.ts'
import { postDelivery } from '../support/post.ts'
import { findPostgresPrograms, startDebianPostgres } from '../support/postgres-programs.ts'
import { startUsher } from '../support/process.ts'
import { message, post } from '../support/webhooks.ts'

const BEFORE = 40
const WITHOUT_WORKERS = 20

const bin = findPostgresPrograms()
if (bin === undefined)
  process.stderr.write('pg_dump and its server not found: the backup is NOT tested here\n')

function open(url: string) {
  const { db, close } = openDatabase(url, { max: 4, name: 'test', onLost: () => undefined })
  atEndOf('test', close)
  return db
}

describe.runIf(bin)('a dump that is made under load, restored elsewhere,', () => {
  it('has every delivery that was acknowledged before it, and routes each once', async () => {
    const { url, stop } = await startDebianPostgres(bin!)
    atEndOf('test', stop)
    const at = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
    const admin = open(url)
    for (const name of ['first', 'second']) await admin.$client.query(`create database ${name}`)
    await migrate(at('first'))
    const { phones } = await createOrg(open(at('first')))
    const acknowledged: string[] = []
    let sent = 0
    const postOne = async (to: string) => {
      const one = message({ from: `1555333${1_000 + sent++}` })
      if ((await postDelivery(to, post(phones[0]!, one))) === 200) acknowledged.push(one.id)
    }
    const postMany = (to: string, n: number) => Promise.all(Array.from({ length: n }, () => postOne(to)))
    const usher = await startUsher('all', { DATABASE_URL: at('first') })
    await postMany(usher.url, BEFORE)
    await usher.stop()
    const server = await startUsher('server', { DATABASE_URL: at('first') })
    // Nothing routes these before the dump.
    await postMany(server.url, WITHOUT_WORKERS)
    const before = [...acknowledged]
    let isLoaded = true
    const load = (async () => {
      while (isLoaded) await postOne(server.url)
    })()
    const folder = mkdtempSync(join(tmpdir(), 'usher-backup-'))
    const file = join(folder, 'usher.dump')
    await run(join(bin!, 'pg_dump'), ['--format=custom', `--file=${file}`, `--dbname=${at('first')}`])
    isLoaded = false
    await load
    await server.stop()
    await run(join(bin!, 'pg_restore'), ['--exit-on-error', `--dbname=${at('second')}`, file])
    rmSync(folder, { recursive: true })
    const second = await startUsher('all', { DATABASE_URL: at('second') })
    await second.printed(/"Usher is up"/)
    const restored = open(at('second')).$client
    const unrouted = async () => (await restored.query(`select from inbox where state = 'new'`)).rowCount
    await expect.poll(unrouted).toBe(0)
    const { rows } = await restored.query('select wamid, count(*)::int as n from messages group by wamid')
    expect(rows.filter(({ n }) => n !== 1)).toEqual([])
    const found = new Set(rows.map(({ wamid }) => wamid))
    expect(before).toHaveLength(BEFORE + WITHOUT_WORKERS)
    expect(before.filter((wamid) => !found.has(wamid))).toEqual([])
    await second.stop()
  })
})
