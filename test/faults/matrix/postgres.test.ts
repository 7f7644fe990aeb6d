import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, it, type TestContext } from 'vitest'
import { engines } from '../../support/app.ts'
import { createTestDatabase } from '../../support/database.ts'
import { newTally, quantile } from '../../support/faults/http-sender.ts'
import { type Installation, install, secondsUntil } from '../../support/faults/installation.ts'
import { createLabDatabase } from '../../support/faults/lab/database.ts'
import { startFaultyPostgres } from '../../support/faults/lab/postgres.ts'
import { seededRandom } from '../../support/faults/random.ts'
import { publishFigure, rounds, SEED } from '../../support/figures.ts'
import { createOrg, createRoom, type TestOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { message, post } from '../../support/webhooks.ts'

/** A PostgreSQL server of its own, with an installation on it. */
async function installOnOwnServer(t: TestContext, engine: 'postgres' | 'redis') {
  const folder = await mkdtemp(join(tmpdir(), 'usher-faulty-'))
  await chmod(folder, 0o755)
  t.onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const server = await startFaultyPostgres(folder)
  t.onTestFinished(server.stop)
  const database = await createLabDatabase(server.url)
  t.onTestFinished(database.close)
  const site = await install(t, engine, { database })
  return { server, site, dataDir: join(folder, 'postgres') }
}

/** Posts a new delivery; gives whether it was answered with 200. */
const probe = (site: Installation, url: string, org: TestOrg) => async () =>
  (await site.post(url, post(org.phones[0]!, message({})))) === 200

describe.concurrent.each(engines())('PostgreSQL, queue on %s', (engine) => {
  it('that crashes and freezes under load loses nothing, and all heals without a restart', async (t) => {
    const { server, site } = await installOnOwnServer(t, engine)
    const org = await createOrg(site.db)
    const random = seededRandom(SEED)
    const receiver = await site.start('all')
    const tally = newTally()
    const stop = site.startLoad(() => receiver.url, org.phones[0]!, 10, tally)
    const seconds: number[] = []
    const crashes = rounds(3)
    for (let i = 0; i < crashes; i++) {
      await sleep(random.int(200, 800))
      await server.crash()
      seconds.push(await secondsUntil(probe(site, receiver.url, org)))
    }
    await stop()
    await site.passDueTime()
    const account = await site.account()
    expect(receiver.child.exitCode).toBeNull()
    publishFigure(9, {
      of: 'deliveries',
      engine,
      n: account.acknowledged,
      seed: SEED,
      account,
      seconds: Math.max(...seconds),
      also: { crashes },
    })

    await server.freeze()
    const before = performance.now()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => site.post(receiver.url, post(org.phones[0]!, message({})))),
    )
    const waited = (performance.now() - before) / 1_000
    expect(new Set(answers)).toEqual(new Set([503]))
    server.thaw()
    const thawed = await secondsUntil(probe(site, receiver.url, org))
    const last = message({})
    await site.deliver(receiver.url, post(org.phones[0]!, last))
    const routedAfter = await secondsUntil(async () => (await site.routed([last.id])) === 1)
    const also = { '503 after (s)': waited.toFixed(1), 'routed again after (s)': routedAfter.toFixed(1) }
    publishFigure(11, {
      of: 'deliveries to a frozen server',
      engine,
      n: answers.length,
      account: await site.account(),
      seconds: thawed,
      also,
    })
  })

  it('that cuts all connections again and again ends no process, and loses nothing', async (t) => {
    const site = await install(t, engine)
    const org = await createOrg(site.db)
    const receiver = await site.start('all')
    const tally = newTally()
    const stop = site.startLoad(() => receiver.url, org.phones[0]!, 10, tally)
    const random = seededRandom(SEED)
    const times = rounds(20)
    let cut = 0
    for (let i = 0; i < times; i++) {
      const { rowCount } = await site.db.$client.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name <> 'test'`,
      )
      cut += rowCount ?? 0
      await sleep(random.int(20, 250))
    }
    await stop()
    await site.passDueTime()
    const account = await site.account()
    expect(receiver.child.exitCode).toBeNull()
    publishFigure(13, {
      of: 'deliveries while connections are cut',
      engine,
      n: account.acknowledged,
      seed: SEED,
      account,
      also: { 'connections cut': cut, '503s': tally.answers.get(503) ?? 0 },
    })
  })
})

/** Two known customers, the lower id first: routing locks them in this order. */
async function twoCustomers(site: Installation) {
  const org = await createOrg(site.db)
  const rooms = []
  for (const customer of ['15550001111', '15550002222'])
    rooms.push({ from: customer, ...(await createRoom(site.db, org, { customer: `+${customer}` })) })
  rooms.sort((a, b) => (a.customerId < b.customerId ? -1 : 1))
  const both = rooms.map(({ from }) => message({ from }))
  return { org, rooms, both, wamids: both.map((m) => m.id) }
}

describe.concurrent('PostgreSQL', () => {
  it('that resolves a deadlock against a worker has its batch tried again', async (t) => {
    const site = await install(t, 'postgres')
    const { org, rooms, both, wamids } = await twoCustomers(site)
    const { url } = await site.start('all')
    // Routing learns their names first, under other locks.
    const before = rooms.map(({ from }) => message({ from }))
    await site.deliver(url, post(org.phones[0]!, ...before))
    await site.allRouted(before.map((m) => m.id))
    const rival = new pg.Client(site.databaseUrl)
    rival.on('error', () => undefined)
    await rival.connect()
    const lock = (i: number) =>
      rival.query('select 1 from customers where id = $1 for update', [rooms[i]!.customerId])
    // PostgreSQL ends the transaction whose deadlock time-out is over first: the worker's.
    await rival.query(`set deadlock_timeout = '60s'`)
    await rival.query('begin')
    await lock(1)
    await site.deliver(url, post(org.phones[0]!, ...both))
    const waits = `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%for update of c%'
      and datname = current_database()`
    await eventually(async () => (await site.db.$client.query(waits)).rows.length > 0)
    await lock(0)
    await rival.query('commit')
    await rival.end()
    const seconds = await site.allRouted(wamids)
    const deadlocks = 'select deadlocks::int as n from pg_stat_database where datname = current_database()'
    await eventually(async () => (await site.db.$client.query(deadlocks)).rows[0].n > 0)
    publishFigure(13, { of: 'real deadlock', n: 1, account: await site.account(), seconds })
  })

  it('that refuses a batch for a while (40001, 57014, 53200, 55P03 ...) gets it again until it is done', async (t) => {
    const site = await install(t, 'postgres')
    const states = ['40001', '57014', '53200', '55P03', '40P01', '58030']
    await site.db.$client.query(`create sequence failures;
      create table failing (state text);
      create function fail() returns trigger language plpgsql as $$
        declare s text := (select state from failing);
        begin
          if s is not null and nextval('failures') % 4 <> 0 then raise exception 'for the test' using errcode = s; end if;
          return new;
        end $$;
      create trigger fail before insert on messages for each statement execute function fail()`)
    const { org } = await twoCustomers(site)
    const { url } = await site.start('all')
    const wamids: string[] = []
    for (const state of states) {
      await site.db.$client.query('truncate failing')
      await site.db.$client.query('insert into failing values ($1)', [state])
      const m = message({})
      wamids.push(m.id)
      await site.deliver(url, post(org.phones[0]!, m))
      await site.allRouted(wamids)
    }
    const { rows } = await site.db.$client.query(`select last_value::int as n from failures`)
    expect(rows[0].n).toBeGreaterThanOrEqual(4 * states.length)
    publishFigure(13, {
      of: 'SQLSTATEs, each three times',
      n: states.length,
      account: await site.account(),
    })
  })

  it('that has no connections left (53300) makes answers 503 or late, and all heals when it has', async (t) => {
    const database = await createTestDatabase()
    const role = `few_${Date.now()}`
    const admin = (text: string) => database.pool.query(text)
    await admin(`create role ${role} login password 'x' connection limit 2`)
    await admin(`grant pg_read_all_data, pg_write_all_data to ${role}`)
    await admin(`grant all on schema public, bullmq to ${role}`)
    t.onTestFinished(async () => {
      await admin(`drop owned by ${role}; drop role ${role}`)
    })
    const databaseUrl = Object.assign(new URL(database.url), { username: role, password: 'x' }).href
    const site = await install(t, 'postgres', { database, databaseUrl })
    const org = await createOrg(site.db)
    const receiver = await site.start('all')
    const tally = newTally()
    const stop = site.startLoad(() => receiver.url, org.phones[0]!, 20, tally)
    await sleep(3_000)
    await eventually(() => receiver.output().includes('53300'))
    await admin(`alter role ${role} connection limit -1`)
    const seconds = await secondsUntil(probe(site, receiver.url, org))
    await stop()
    await site.passDueTime()
    const account = await site.account()
    publishFigure(13, {
      of: 'deliveries with connections for two',
      n: account.acknowledged,
      account,
      seconds,
      also: { 'p99 (ms)': quantile(tally.ms, 0.99) },
    })
  })

  it('whose disk is full answers 503, and heals by itself when there is room', async (t) => {
    const disk = mountSmallDisk(t)
    if (disk === undefined) return t.skip('cannot mount a small tmpfs: run as root on Linux')
    const { site, dataDir } = await installOnOwnServer(t, 'postgres')
    const place = join(disk, 'tables')
    mkdirSync(place)
    chownSync(place, statSync(dataDir).uid, statSync(dataDir).gid)
    const org = await createOrg(site.db)
    await site.db.$client.query(`create tablespace small location '${place}'`)
    // Only these tables: without room for its log, PostgreSQL ends altogether, which is the crash tested above.
    for (const table of ['inbox', 'messages'])
      await site.db.$client.query(`alter table ${table} set tablespace small`)
    const receiver = await site.start('all')
    const tally = newTally()
    const stop = site.startLoad(() => receiver.url, org.phones[0]!, 10, tally)
    await sleep(300)
    const filler = join(disk, 'filler')
    try {
      writeFileSync(filler, Buffer.alloc(64 * 1024 * 1024))
    } catch {}
    await eventually(async () => (tally.answers.get(503) ?? 0) > 50)
    const output = () => receiver.output()
    await eventually(async () => output().includes('53100'))
    const lines = output().split('\n').length
    await sleep(2_000)
    const perSecond = (output().split('\n').length - lines) / 2
    rmSync(filler)
    const seconds = await secondsUntil(probe(site, receiver.url, org))
    await stop()
    await site.passDueTime()
    const account = await site.account()
    expect(perSecond).toBeLessThan(10)
    publishFigure(12, {
      of: 'deliveries',
      n: account.acknowledged,
      account,
      seconds,
      also: { '503s': tally.answers.get(503) ?? 0, 'log lines/s': perSecond.toFixed(1) },
    })
  })
})

/** A file system of 16 MB; undefined where this user may not mount one. */
function mountSmallDisk(t: TestContext): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), 'usher-disk-'))
  chmodSync(disk, 0o755)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0755', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    rmSync(disk, { recursive: true })
    return undefined
  }
  t.onTestFinished(() => {
    execFileSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true })
  })
  return disk
}
