import { pino } from 'pino'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { adviseWhenReachable } from '../../src/db/advise.ts'
import { type Database, openDatabase } from '../../src/db/client.ts'
import { awaitDurable } from '../../src/db/durable.ts'
import { orgs } from '../../src/db/schema/index.ts'
import { createInboxWriter } from '../../src/inbox/save.ts'
import { startTestApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { deliver } from '../support/inbox.ts'
import { createOrg, createRoom } from '../support/org.ts'
import { message, post } from '../support/webhooks.ts'

let database: TestDatabase
let role: string
let url: string

const admin = (text: string) => database.pool.query(text)
let roles = 0

beforeEach(async () => {
  database = await createTestDatabase()
  roles += 1
  role = `plain_${process.pid}_${roles}`
  await admin(`create role ${role} login password 'x'; grant pg_read_all_data, pg_write_all_data to ${role}`)
  onTestFinished(async () => {
    await admin(`drop owned by ${role}; drop role ${role}`)
  })
  url = Object.assign(new URL(database.url), { username: role, password: 'x' }).href
})

/** A pool of the role, which is no superuser. */
function openAsRole(): Database['db'] {
  const { db, close } = openDatabase(url, { max: 2, name: 'plain', onLost: () => {} })
  onTestFinished(close)
  return db
}

const NO_FLUSH =
  'revoke execute on function pg_logical_emit_message(boolean, text, text, boolean) from public'
const FLUSH_AGAIN =
  'grant execute on function pg_logical_emit_message(boolean, text, text, boolean) to public'

/** A position in the log of the server, in bytes. */
async function position(of: 'insert' | 'flush'): Promise<number> {
  const { rows } = await admin(`select pg_current_wal_${of}_lsn() - '0/0'::pg_lsn as at`)
  return Number(rows[0].at)
}

async function adviceTo(address: string): Promise<string[]> {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) })
  await adviseWhenReachable(address, log, new AbortController().signal)
  return lines
}

describe('a role that may not execute pg_logical_emit_message', () => {
  it('stores each single delivery once, on the disk, and has it answered with 200', async () => {
    await admin(NO_FLUSH)
    const { save, close } = createInboxWriter({ db: openAsRole(), onSaved: () => {} })
    const before = await position('insert')
    await save(Buffer.from('a'))
    expect(await position('flush')).toBeGreaterThan(before)
    await close()
    expect((await admin('select body from inbox')).rows).toHaveLength(1)
  })

  it('that lost the right while Usher ran has one delivery answered with 503, and stores the next ones', async () => {
    const db = openAsRole()
    const { save, close } = createInboxWriter({ db, onSaved: () => {} })
    const later = async (body: string) => {
      await new Promise((resolve) => setTimeout(resolve, 15))
      return save(Buffer.from(body)).then(() => 'stored', String)
    }
    expect(await later('a')).toBe('stored')
    await admin(NO_FLUSH)
    expect(await later('b')).toContain('permission denied')
    expect(await later('c')).toBe('stored')
    await close()
    await admin(FLUSH_AGAIN)
  })

  it('waits until PostgreSQL itself has flushed what an answer shows', async () => {
    await admin(NO_FLUSH)
    const db = openAsRole()
    await admin(`begin; set local synchronous_commit = off; insert into inbox (body) values ('x'); commit`)
    const written = await position('insert')
    await awaitDurable(db)
    expect(await position('flush')).toBeGreaterThanOrEqual(written)
  })

  it('is advised to get the right', async () => {
    expect(await adviceTo(url)).not.toContainEqual(expect.stringContaining('pg_logical_emit_message'))
    await admin(NO_FLUSH)
    expect(await adviceTo(url)).toContainEqual(expect.stringContaining('pg_logical_emit_message'))
  })
})

describe('settings of the role', () => {
  beforeEach(async () => {
    const settings = {
      datestyle: 'German, DMY',
      intervalstyle: 'sql_standard',
      timezone: 'Asia/Kolkata',
      synchronous_commit: 'off',
      default_transaction_isolation: 'serializable',
    }
    for (const [name, value] of Object.entries(settings))
      await admin(`alter role ${role} set ${name} = '${value}'`)
  })

  it('for dates and time zones do not change what is read', async () => {
    const org = await createOrg(database.db)
    const room = await createRoom(database.db, org)
    const sent = message({ at: new Date('2026-09-21T13:33:20Z') })
    const db = openAsRole()
    await deliver(db, post(org.phones[0]!, sent))
    const api = await startTestApi(db)
    const { body } = await api.call('GET', `/v1/org/${org.id}/chatroom/${room.id}/messages`)
    expect(body.messages.map((m: { sent_at: string }) => m.sent_at)).toEqual(['2026-09-21T13:33:20.000Z'])
    const [read] = await db.select().from(orgs)
    expect(Math.abs((read?.createdAt.getTime() ?? 0) - Date.now())).toBeLessThan(3_600_000)
  })

  it('for commits and isolation do not weaken a transaction', async () => {
    const db = openAsRole()
    const show = async (name: string) => Object.values((await db.$client.query(`show ${name}`)).rows[0])
    expect(await show('synchronous_commit')).toEqual(['on'])
    expect(await show('transaction_isolation')).toEqual(['read committed'])
  })

  it('that switch durability off are named at start', async () => {
    expect(await adviceTo(url)).toContainEqual(expect.stringContaining('synchronous_commit is off'))
  })
})
