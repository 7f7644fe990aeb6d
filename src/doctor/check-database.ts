import { readAdvice } from '../db/advise.ts'
import type { Db } from '../db/client.ts'
import { countPendingMigrations } from '../db/count-pending-migrations.ts'
import { run } from '../db/statement.ts'
import { measureSkew } from '../heartbeats/measure-skew.ts'
import { isWrongClock } from '../rules/clock-skew.ts'
import { type Check, codeOf, fail, fine, warn } from './check.ts'

const OLDEST = 14
/** A difference below the limit that is worth a look. */
const NOTABLE_SECONDS = 1

type Parts = {
  db: Db
  /** Leads to the same database, for a connection without Usher's own settings. */
  url: string
  /** This machine's time in milliseconds. */
  now: () => number
}

/** Judges PostgreSQL: version, migrations, rights of the role, settings, and this machine's clock against its clock. */
export async function checkDatabase({ db, url, now }: Parts): Promise<Check[]> {
  try {
    const state = await readState(db)
    const pending = await countPendingMigrations(db)
    return [
      checkVersion(state.version),
      pending === 0
        ? fine('Migrations', 'all are applied')
        : fail('Migrations', `${pending} are missing`, 'npm run migrate'),
      checkRights(state),
      ...(await checkSettings(url)),
      checkClock(await measureSkew(db, now)),
    ]
  } catch (error) {
    return [
      fail('PostgreSQL', `does not answer: ${codeOf(error)}`, 'correct DATABASE_URL, or start PostgreSQL'),
    ]
  }
}

type State = { version: string; readOnly: boolean; forbidden: string[] }

function readState(db: Db): Promise<State> {
  return run(db, {
    text: `select current_setting('server_version') as version,
        pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as "readOnly",
        array(select c.relname::text from pg_class c
          where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
            and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
              and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
          order by 1) as forbidden`,
    values: [],
    read: ([row]: State[]) => row ?? { version: '0', readOnly: false, forbidden: [] },
  })
}

function checkVersion(version: string): Check {
  return Number.parseInt(version, 10) >= OLDEST
    ? fine('PostgreSQL', version)
    : fail('PostgreSQL', version, `use PostgreSQL ${OLDEST} or newer`)
}

function checkRights({ readOnly, forbidden }: State): Check {
  const name = 'Rights'
  if (readOnly) return fail(name, 'the database is read-only', 'connect to the primary')
  return forbidden.length === 0
    ? fine(name, 'the role may read and change all tables')
    : fail(
        name,
        `the role may not read and change ${forbidden.join(', ')}`,
        'grant select, insert, update, delete on all tables in the schema to the role',
      )
}

async function checkSettings(url: string): Promise<Check[]> {
  const advice = await readAdvice(url)
  if (advice.length === 0) return [fine('Settings', 'fsync and synchronous_commit are on')]
  return advice.map((sentence) => warn('Settings', sentence, 'change the setting, or grant the right'))
}

function checkClock(skew: number): Check {
  const found = `${Math.round(skew * 10) / 10} s from the database's`
  const remedy = 'repair NTP on this machine or on that of the database'
  if (isWrongClock(skew)) return fail('Clock', found, remedy)
  return Math.abs(skew) > NOTABLE_SECONDS ? warn('Clock', found, remedy) : fine('Clock', found)
}
