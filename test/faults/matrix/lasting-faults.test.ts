import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { describe, expect, it, type TestContext } from 'vitest'
import { engines } from '../../support/app.ts'
import { install } from '../../support/faults/installation.ts'
import { publishFigure } from '../../support/figures.ts'
import { createOrg } from '../../support/org.ts'
import { eventually } from '../../support/patience.ts'
import { message, post } from '../../support/webhooks.ts'

/** Begins before the workers open their connections; the function that it gives ends it. */
type Fault = (admin: pg.Client, locker: pg.Client) => Promise<() => Promise<unknown>>

const FAULTS: [name: string, fault: Fault][] = [
  [
    'a lock on the ledger',
    async (admin, locker) => {
      await configure(admin, `set lock_timeout = '100ms'`)
      await locker.query('begin; lock table messages')
      return () => locker.query('rollback')
    },
  ],
  [
    'a full disk',
    async (admin) => {
      await admin.query(`create function fill_disk() returns trigger language plpgsql as $$
          begin raise exception 'no space left on device' using errcode = '53100'; end $$;
        create trigger fill_disk before insert on messages for each statement execute function fill_disk()`)
      return () => admin.query('drop trigger fill_disk on messages')
    },
  ],
  [
    'a database that accepts no writes',
    async (admin) => {
      await configure(admin, 'set default_transaction_read_only = on')
      return () => configure(admin, 'reset default_transaction_read_only')
    },
  ],
]

/** More than the tries after which a delivery that kills its worker becomes a dead letter. */
const TRIES = 10
const EVERY_MS = 200

describe.concurrent.each(engines())('with the queue on %s', (engine) => {
  it.for(FAULTS)('%s makes no dead letter, and all is routed once it is over', async ([name, fault], t) => {
    const site = await install(t, engine)
    const [admin, locker] = [await connect(site.databaseUrl, t), await connect(site.databaseUrl, t)]
    const org = await createOrg(site.db)
    const { url } = await site.start('server')
    const messages = Array.from({ length: 5 }, () => message({}))
    for (const one of messages) await site.deliver(url, post(org.phones[0]!, one))
    const end = await fault(admin, locker)
    await site.start('workers')
    const before = await countRollbacks(admin)
    await eventually(async () => {
      // As if minutes had passed, so that each delivery is a suspect.
      await admin.query(`update inbox set requeues = 100, due_at = now() where state = 'new'`)
      await sleep(EVERY_MS)
      return (await countRollbacks(admin)) > before + TRIES
    })
    const { rows } = await admin.query('select state, count(*)::int from inbox group by state')
    expect(rows).toEqual([{ state: 'new', count: messages.length }])
    const tries = (await countRollbacks(admin)) - before
    await end()
    const seconds = await site.allRouted(messages.map(({ id }) => id))
    const account = await site.account()
    publishFigure(33, {
      of: `deliveries under ${name}`,
      engine,
      n: account.acknowledged,
      account,
      seconds,
      also: { tries },
    })
  })
})

async function connect(url: string, t: TestContext): Promise<pg.Client> {
  const client = new pg.Client(url)
  await client.connect()
  t.onTestFinished(() => client.end())
  return client
}

function configure(admin: pg.Client, setting: string): Promise<unknown> {
  return admin.query(`alter database ${admin.database} ${setting}`)
}

/** Failed transactions, of all connections. */
async function countRollbacks(admin: pg.Client): Promise<number> {
  const text = 'select xact_rollback::int as n from pg_stat_database where datname = current_database()'
  return (await admin.query(text)).rows[0].n
}
