import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { JWT_SECRET } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { asText, importLines, openImport } from '../support/import.ts'
import { createOrg } from '../support/org.ts'
import { eventually } from '../support/patience.ts'
import { startProcess, startUsher } from '../support/process.ts'

const LINES = 6_000

/** For each contact: how many records of its creation the audit and the event log have. */
const CREATIONS = `select c.crm_id as "crmId",
    (select count(*)::int from events e where e.org_id = c.org_id and e.contact_id = c.id and e.kind = 'contact.created') as audit,
    (select count(*)::int from event_log l join events e on e.org_id = l.org_id and e.id = l.audit_id
      where l.org_id = c.org_id and e.contact_id = c.id and l.type = 'contact.created') as logged,
    (select count(*)::int from customers k where k.org_id = c.org_id and k.id = c.customer_id) as customers
  from contacts c where c.org_id = $1`

const CONNECTED = `select from pg_stat_activity where datname = current_database() and application_name like 'usher-%'`

async function expectWhole({ pool }: TestDatabase, orgId: string): Promise<number> {
  const { rows } = await pool.query(CREATIONS, [orgId])
  const halves = rows.filter((one) => one.audit !== 1 || one.logged !== 1 || one.customers !== 1)
  expect(halves).toEqual([])
  expect(new Set(rows.map((one) => one.crmId)).size).toBe(rows.length)
  const { rows: lonely } = await pool.query(
    'select 1 from customers k where org_id = $1 and not exists (select from contacts c where c.org_id = k.org_id and c.customer_id = k.id)',
    [orgId],
  )
  expect(lonely).toEqual([])
  return rows.length
}

describe('an import over HTTP', () => {
  it('whose server is killed in the middle is sent again: nothing is there twice, and nothing is there in part', async () => {
    const database = await createTestDatabase()
    const org = await createOrg(database.db)
    const env = { DATABASE_URL: database.url, JWT_SECRET }
    const first = await startUsher('server', env)
    const lines = importLines(LINES)
    const cut = await openImport(first.url, org.id)
    cut.req.write(asText(lines))
    await eventually(async () => cut.answers.length > 500)
    first.child.kill('SIGKILL')
    await cut.ended
    // A commit that was under way may still come.
    await eventually(async () => (await database.pool.query(CONNECTED)).rowCount === 0)
    expect(cut.answers.at(-1)).not.toHaveProperty('summary')
    const kept = await expectWhole(database, org.id)
    expect(kept).toBeGreaterThanOrEqual(cut.answers.length)
    expect(kept).toBeLessThan(LINES)

    const second = await startUsher('server', env)
    const again = await openImport(second.url, org.id)
    again.req.end(asText(lines))
    await again.ended
    const answered = { lines: LINES, created: LINES - kept, exists: kept, rejected: 0 }
    expect(again.answers.at(-1)).toEqual({ summary: answered })
    expect(again.answers.filter((one) => one.differs?.length > 0)).toEqual([])
    expect(await expectWhole(database, org.id)).toBe(LINES)
  })

  it('stops after the batch that is running when its client goes away, and answers each pause of its client', async () => {
    const database = await createTestDatabase()
    const org = await createOrg(database.db)
    const { url, output } = await startUsher('server', { DATABASE_URL: database.url, JWT_SECRET })
    const open = await openImport(url, org.id)
    open.req.write(asText(importLines(3)))
    await eventually(async () => open.answers.length === 3)
    open.req.write(asText(importLines(4, 3)))
    await eventually(async () => open.answers.length === 7)
    open.req.destroy()
    await eventually(async () => output().includes('the client of an API request went away'))
    expect(await expectWhole(database, org.id)).toBe(7)
  })
})

describe('npm run import', () => {
  async function setUp() {
    const database = await createTestDatabase()
    const org = await createOrg(database.db)
    const folder = await mkdtemp(join(tmpdir(), 'usher-import-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const run = async (name: string, ...args: string[]) => {
      const env = { DATABASE_URL: database.url }
      const command = startProcess('src/cli/main.js', ['import', join(folder, name), ...args], env)
      return { code: await command.exited(), output: command.output() }
    }
    const write = (name: string, text: string) => writeFile(join(folder, name), text)
    const read = (name: string) => readFile(join(folder, name), 'utf8')
    return { database, org, run, write, read }
  }

  it('imports lines of JSON, writes those that were rejected to a file, and takes that file when it is corrected', async () => {
    const { database, org, run, write, read } = await setUp()
    const [good, bad] = importLines(2)
    await write('leads.ndjson', asText([good!, { ...bad, phone_number: '+1' }]).concat('{"crm_id"\n'))
    const first = await run('leads.ndjson', '--org', org.id)
    expect(first.output).toMatch(
      /3 lines: 1 contacts created, 0 exist, 2 rejected\. .*leads\.rejects\.ndjson/,
    )
    expect(first.code).toBe(1)
    const rejects = (await read('leads.rejects.ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rejects).toEqual([
      { ...bad, phone_number: '+1', reject_reason: expect.stringMatching(/^4220002 INVALID_PHONE_NUMBER: /) },
      { line: '{"crm_id"', reject_reason: '4220001 INVALID_INPUT: the line is not JSON' },
    ])
    await write('corrected.ndjson', asText([{ ...rejects[0], phone_number: bad!.phone_number }]))
    expect((await run('corrected.ndjson', '--org', org.id)).code).toBe(0)
    const again = await run('leads.ndjson', '--org', org.id)
    expect(again.output).toContain('0 contacts created, 1 exist, 2 rejected')
    expect(await expectWhole(database, org.id)).toBe(2)
  })

  it('imports CSV with a header, quoted cells and empty cells, and writes rejected records as CSV', async () => {
    const { database, org, run, write, read } = await setUp()
    const header = 'crm_id,phone_number,opt_in_date,first_name,is_inbound,reject_reason'
    await write(
      'leads.csv',
      `\ufeff${header}\r\none,+919810000001,2026-01-31T09:30:00Z,"Rao, ""Ana""",true,old\r\ntwo,+1,1769851800,,,\r\n\r\nthree,+919810000003,1769851800,,yes,\r\n`,
    )
    const first = await run('leads.csv', '--org', org.id)
    expect(first.output).toContain('3 lines: 1 contacts created, 0 exist, 2 rejected')
    const { rows } = await database.pool.query('select * from contacts where org_id = $1', [org.id])
    expect(rows).toMatchObject([
      { crm_id: 'one', first_name: 'Rao, "Ana"', is_inbound: true, last_name: null },
    ])
    const [head, two, three] = (await read('leads.rejects.csv')).split('\n')
    expect(head).toBe(header)
    expect(two).toMatch(/^two,\+1,1769851800,,,4220002 INVALID_PHONE_NUMBER: /)
    expect(three).toMatch(/^three,\+919810000003,1769851800,,yes,"4220001 INVALID_INPUT: is_inbound: /)
  })

  it('takes the columns of a chatroom from CSV', async () => {
    const { database, org, run, write } = await setUp()
    await write(
      'rooms.csv',
      `opt_in_date,crm_id,phone_number,chatroom,remote_phone_id,assign_mode,user_id,assign_on_handover
1769851800,none,+919810000001,,,,,
1769851800,free,+919810000002,TRUE,,,,
1769851800,there,+919810000003,,${org.phones[0]},,,
1769851800,anns,+919810000004,true,,USER,ann,
1769851800,later,+919810000005,,,USER,bob,true
`,
    )
    expect(await run('rooms.csv', '--org', org.id)).toMatchObject({ code: 0 })
    const { rows } = await database.pool.query(
      `select c.crm_id, r.assigned_user_id, r.pending_user_id from contacts c
       left join chatrooms r on r.org_id = c.org_id and r.contact_id = c.id
       where c.org_id = $1 and r.id is not null order by 1`,
      [org.id],
    )
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['anns', 'ann', null],
      ['free', null, null],
      ['later', null, 'bob'],
      ['there', null, null],
    ])
  })

  it('says in one line what is wrong with its file or its org, and imports nothing', async () => {
    const { database, org, run, write } = await setUp()
    await write('x.csv', 'crm_id,phone,opt_in_date\n1,2,3\n')
    await write('y.csv', 'crm_id,opt_in_date\n1,2\n')
    await write('leads.ndjson', asText(importLines(1)))
    expect(await run('x.csv', '--org', org.id)).toEqual({
      code: 1,
      output: expect.stringMatching(/^The header has unknown columns: phone\. Known: crm_id, .*\n$/),
    })
    expect((await run('y.csv', '--org', org.id)).output).toBe(
      'The header lacks these columns: phone_number.\n',
    )
    expect((await run('leads.ndjson', '--org', 'nobody')).output).toMatch(/^There is no org nobody: .*\n$/)
    expect((await run('absent.csv', '--org', org.id)).output).toMatch(/absent\.csv cannot be read: ENOENT\n$/)
    expect((await run('leads.txt', '--org', org.id)).output).toMatch(/must end in \.ndjson or \.csv\n$/)
    expect(await expectWhole(database, org.id)).toBe(0)
  })
})
